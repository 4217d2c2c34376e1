"""Updates of EKS that fail or never end, which the emulator's own do not."""

from collections.abc import Callable
from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.aws.types.eks import updates
from cloudcommerce_sandbox.plugins.provider import ProviderError


class PlayedContext:
    """Answers one update call, then `describe_update` with the given states in turn."""

    def __init__(self, *states: dict[str, Any]) -> None:
        self.states = list(states)
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        self.calls.append((operation, request))
        update = {"id": "u-1", "type": "VersionUpdate", "status": "InProgress"}
        return {"update": {**update, **(self.states.pop(0) if operation == "describe_update" else {})}}

    def poll(self, is_settled: Callable[[], bool], _seconds: float, what: str) -> None:
        while not is_settled():
            if not self.states:
                raise ProviderError(f"{what} was not done")


def _run(context: Any) -> None:
    request = {"name": "core", "version": "1.36"}
    updates.run(context, "update_cluster_version", {"name": "core"}, request, seconds=1.0)


def test_it_waits_for_the_update_that_it_asked_for() -> None:
    context = PlayedContext({"status": "InProgress"}, {"status": "Successful"})
    _run(context)
    assert context.calls == [
        ("update_cluster_version", {"name": "core", "version": "1.36"}),
        ("describe_update", {"updateId": "u-1", "name": "core"}),
        ("describe_update", {"updateId": "u-1", "name": "core"}),
    ]


def test_a_failed_update_tells_every_error() -> None:
    errors = [
        {
            "errorCode": "SubnetNotFound",
            "errorMessage": "it is gone",
            "resourceIds": ["subnet-1", "eni-1"],
        },
        {"errorCode": "AccessDenied", "errorMessage": "no"},
    ]
    with pytest.raises(ProviderError) as failure:
        _run(PlayedContext({"status": "Failed", "errors": errors}))
    assert str(failure.value) == (
        "the update VersionUpdate (u-1) ended as Failed: SubnetNotFound: it is gone (subnet-1, eni-1); "
        "AccessDenied: no"
    )


def test_a_cancelled_update_is_a_failure() -> None:
    with pytest.raises(ProviderError, match=r"ended as Cancelled$"):
        _run(PlayedContext({"status": "Cancelled"}))


def test_an_update_that_does_not_end_is_named() -> None:
    with pytest.raises(ProviderError, match=r"VersionUpdate.*was not done"):
        _run(PlayedContext({"status": "InProgress"}))
