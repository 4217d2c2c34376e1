"""Plays Pulumi's engine against the aws plugin's gRPC methods, one resource at a time.

Everything goes over the protocol's messages, so that encoding, secrets and unknown values are part of the
tests.
"""

from dataclasses import dataclass, field
from typing import Any, NoReturn

from cloudcommerce_sandbox.plugins.aws.provider import AwsProvider
from cloudcommerce_sandbox.plugins.servicer import Servicer
from cloudcommerce_sandbox.plugins.wire import decode, encode, reveal
from pulumi.runtime.proto import provider_pb2

Properties = dict[str, Any]


class Refused(Exception):  # noqa: N818 - what the engine is told, be it failure or refusal
    """The plugin answered with an error or with check failures."""


class _Context:
    """What gRPC hands to a method, as far as the servicer uses it."""

    def abort(self, _code: Any, details: str) -> NoReturn:
        raise Refused(details)

    def set_trailing_metadata(self, metadata: Any) -> None:
        """Take what goes along with an error."""


class PlayedEngine:
    """A plugin, configured for the emulator's endpoint."""

    def __init__(self, endpoint: str, region: str = "us-east-1") -> None:
        self.context = _Context()
        self.servicer = Servicer(AwsProvider())
        services = (
            *("rds", "docdb", "elasticache", "mq", "sts", "iam", "kms"),
            *("sns", "ecr", "cloudwatch", "logs", "secretsmanager", "lambda"),
            *("ec2", "eks", "ssm"),
        )
        config = {
            "region": region,
            "accessKey": "test",
            "secretKey": "test",
            "endpoints": [dict.fromkeys(services, endpoint)],
        }
        self.servicer.Configure(provider_pb2.ConfigureRequest(args=encode(config)), self.context)

    def invoke(self, token: str, **args: Any) -> Properties:
        """Run a function of the provider."""
        request = provider_pb2.InvokeRequest(tok=token, args=encode(args))
        return decode(getattr(self.servicer.Invoke(request, self.context), "return"))

    def resource(self, pulumi_type: str, name: str) -> "Resource":
        return Resource(self, pulumi_type, f"urn:pulumi:test::shop::{pulumi_type}::{name}")


@dataclass
class Resource:
    """One resource in the state of the played engine."""

    engine: PlayedEngine
    type: str
    urn: str
    id: str = ""
    inputs: Properties = field(default_factory=dict)
    state: Properties = field(default_factory=dict)

    def _send(self, method: str, request: Any) -> Any:
        return getattr(self.engine.servicer, method)(request, self.engine.context)

    def check(self, program: Properties) -> Properties:
        """Complete the program's inputs; raise `Refused` with every failure."""
        request = provider_pb2.CheckRequest(
            urn=self.urn, news=encode(program), olds=encode(self.inputs), randomSeed=b"played engine's seed"
        )
        answer = self._send("Check", request)
        if answer.failures:
            raise Refused("; ".join(f"{failure.property}: {failure.reason}" for failure in answer.failures))
        return decode(answer.inputs)

    def diff(self, program: Properties) -> tuple[set[str], set[str]]:
        """Return the top-level properties that differ, and those of them that replace.

        `tagsAll` is left out: it follows `tags`.
        """
        request = provider_pb2.DiffRequest(
            urn=self.urn,
            id=self.id,
            news=encode(self.check(program)),
            old_inputs=encode(self.inputs),
            olds=encode(self.state),
        )
        answer = self._send("Diff", request)
        return set(answer.diffs) - {"tagsAll"}, {
            path.partition(".")[0].partition("[")[0] for path in answer.replaces
        }

    def preview(self, program: Properties) -> Properties:
        request = provider_pb2.CreateRequest(
            urn=self.urn, properties=encode(self.check(program)), preview=True
        )
        return decode(self._send("Create", request).properties)

    def create(self, program: Properties) -> "Resource":
        self.inputs = self.check(program)
        self.preview(program)
        request = provider_pb2.CreateRequest(urn=self.urn, properties=encode(self.inputs))
        answer = self._send("Create", request)
        self.id, self.state = answer.id, decode(answer.properties)
        return self

    def update(self, program: Properties) -> "Resource":
        inputs = self.check(program)
        request = {
            "urn": self.urn,
            "id": self.id,
            "news": encode(inputs),
            "old_inputs": encode(self.inputs),
            "olds": encode(self.state),
        }
        self._send("Update", provider_pb2.UpdateRequest(preview=True, **request))
        answer = self._send("Update", provider_pb2.UpdateRequest(**request))
        self.inputs, self.state = inputs, decode(answer.properties)
        return self

    def refresh(self) -> bool:
        """Take over what the resource is like now; return whether it is still there."""
        request = provider_pb2.ReadRequest(
            urn=self.urn, id=self.id, inputs=encode(self.inputs), properties=encode(self.state)
        )
        answer = self._send("Read", request)
        if answer.id:
            self.inputs, self.state = decode(answer.inputs), decode(answer.properties)
        return bool(answer.id)

    def imported(self, resource_id: str) -> "Resource":
        """Return the resource as an import finds it, without touching this one."""
        answer = self._send("Read", provider_pb2.ReadRequest(urn=self.urn, id=resource_id))
        if not answer.id:
            raise Refused(f"{resource_id} is not there")
        found = Resource(self.engine, self.type, self.urn, answer.id)
        found.inputs, found.state = decode(answer.inputs), decode(answer.properties)
        return found

    def delete(self) -> None:
        request = provider_pb2.DeleteRequest(
            urn=self.urn, id=self.id, properties=encode(self.state), old_inputs=encode(self.inputs)
        )
        self._send("Delete", request)

    def output(self, name: str) -> Any:
        return reveal(self.state.get(name))

    def assert_settled(self, program: Properties, *, unread: frozenset[str] = frozenset()) -> None:
        """Assert that neither a second run, nor a refresh, nor an import sees a difference.

        Args:
            program: The inputs of the program.
            unread: Properties that AWS does not tell, which an import therefore adds in place.
        """
        assert self.diff(program) == (set(), set()), "right after the step"
        inputs, state = reveal(self.inputs), reveal(self.state)
        assert self.refresh()
        assert changes(inputs, reveal(self.inputs)) == {}, "the refresh changed the inputs"
        assert changes(state, reveal(self.state)) == {}, "the refresh changed the outputs"
        assert self.diff(program) == (set(), set()), "right after the refresh"
        differing, replacing = self.imported(self.id).diff(program)
        assert differing <= unread, "after an import"
        assert not replacing


def changes(before: Properties, after: Properties) -> dict[str, tuple[Any, Any]]:
    """Return what differs between two property bags, with the values before and after; empty is absent."""
    pairs = {name: (before.get(name) or None, after.get(name) or None) for name in {**before, **after}}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
