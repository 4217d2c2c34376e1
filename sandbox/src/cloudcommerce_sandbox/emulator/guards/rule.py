"""What a refusal is: a small function over one call, with the AWS page that says so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from cloudcommerce_sandbox.emulator.wire import ApiError, AwsCall

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """What a rule sees of a call: its parameters in boto3's shape, and where it goes."""

    operation: str
    region: str
    parameters: Parameters

    def get(self, name: str, default: Any = None) -> Any:
        """Returns a parameter, or `default` when the caller left it out."""
        return self.parameters.get(name, default)


Check = Callable[[Request], None]
CheckT = TypeVar("CheckT", bound=Check)


@dataclass(frozen=True)
class Rule:
    """One refusal.

    Attributes:
        service: botocore's service name.
        operations: operations it watches.
        source: AWS page that states the limit. Codes and messages are not on these pages: they are as AWS
            answers them where that is known, else in its words.
        check: raises ApiError when AWS would refuse.
    """

    service: str
    operations: tuple[str, ...]
    source: str
    check: Check

    @property
    def name(self) -> str:
        """The rule in words, from its function's name."""
        return self.check.__name__.replace("_", " ")


RULES: list[Rule] = []
_BY_OPERATION: dict[tuple[str, str], list[Rule]] = {}


def refuses(service: str, *operations: str, source: str) -> Callable[[CheckT], CheckT]:
    """Registers the decorated function as a rule on these operations."""

    def register(function: CheckT) -> CheckT:
        rule = Rule(service, operations, source, function)
        RULES.append(rule)
        for operation in operations:
            _BY_OPERATION.setdefault((service, operation), []).append(rule)
        return function

    return register


def combination(message: str) -> ApiError:
    """Returns the error of parameters that do not go together."""
    return ApiError("InvalidParameterCombination", message)


def invalid(message: str) -> ApiError:
    """Returns the error of a parameter whose value AWS does not take."""
    return ApiError("InvalidParameterValue", message)


def check(call: AwsCall) -> None:
    """Applies every rule on `call`'s operation.

    Raises:
        ApiError: the first refusal.
    """
    rules = _BY_OPERATION.get((call.service, call.operation))
    if not rules:
        return
    request = Request(call.operation, call.region, call.parameters())
    for rule in rules:
        rule.check(request)
