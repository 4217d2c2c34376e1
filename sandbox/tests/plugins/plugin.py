"""A plugin behind a real gRPC channel, spoken to as the engine does, for tests of the protocol itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from cloudcommerce_sandbox.plugins import server
from cloudcommerce_sandbox.plugins.provider import Provider
from cloudcommerce_sandbox.plugins.wire import decode, encode
from google.rpc import status_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

Properties = dict[str, Any]
SEED = b"a seed of the engine"


class Plugin:
    """Calls a plugin's methods with plain property bags."""

    def __init__(self, channel: Any) -> None:
        self.stub = provider_pb2_grpc.ResourceProviderStub(channel)

    def configure(self, **config: Any) -> None:
        self.stub.Configure(provider_pb2.ConfigureRequest(args=encode(config)))

    def check(self, token: str, news: Properties, olds: Properties | None = None, **more: Any) -> Any:
        return self.stub.Check(
            provider_pb2.CheckRequest(
                urn=urn(token), news=encode(news), olds=encode(olds or {}), randomSeed=SEED, **more
            )
        )

    def checked(self, token: str, news: Properties, olds: Properties | None = None) -> Properties:
        answer = self.check(token, news, olds)
        assert not answer.failures, [(failure.property, failure.reason) for failure in answer.failures]
        return decode(answer.inputs)

    def refused(self, token: str, news: Properties) -> dict[str, str]:
        return {failure.property: failure.reason for failure in self.check(token, news).failures}

    def create(self, token: str, inputs: Properties, **more: Any) -> tuple[str, Properties]:
        answer = self.stub.Create(
            provider_pb2.CreateRequest(urn=urn(token), properties=encode(inputs), **more)
        )
        return answer.id, decode(answer.properties)

    def diff(
        self, token: str, old: Properties, new: Properties, state: Properties | None = None, **more: Any
    ) -> dict[str, str]:
        answer = self.stub.Diff(
            provider_pb2.DiffRequest(
                urn=urn(token),
                id="an-id",
                old_inputs=encode(old),
                news=encode(new),
                olds=encode(state or old),
                **more,
            )
        )
        names = provider_pb2.PropertyDiff.Kind.Name
        return {path: names(change.kind) for path, change in answer.detailedDiff.items()}

    def update(
        self, token: str, id_: str, old: Properties, new: Properties, state: Properties, **more: Any
    ) -> Properties:
        request = provider_pb2.UpdateRequest(
            urn=urn(token), id=id_, old_inputs=encode(old), news=encode(new), olds=encode(state), **more
        )
        return decode(self.stub.Update(request).properties)

    def read(
        self, token: str, id_: str, inputs: Properties | None = None, state: Properties | None = None
    ) -> tuple[str, Properties, Properties]:
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                urn=urn(token), id=id_, inputs=encode(inputs or {}), properties=encode(state or {})
            )
        )
        return answer.id, decode(answer.inputs), decode(answer.properties)

    def delete(self, token: str, id_: str, inputs: Properties, state: Properties, **more: Any) -> None:
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                urn=urn(token), id=id_, properties=encode(state), old_inputs=encode(inputs), **more
            )
        )

    def invoke(self, token: str, **args: Any) -> Properties:
        return decode(
            getattr(self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=encode(args))), "return")
        )


def urn(token: str) -> str:
    return f"urn:pulumi:prod::shop::my:component:Type${token}::thing"


@contextmanager
def serving(provider: Provider) -> Iterator[Plugin]:
    running, port = server.start(provider)
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Plugin(channel)
    running.stop(grace=None)


def half_made(error: grpc.RpcError) -> Any:
    """Return the resource that the engine keeps after a failed create."""
    metadata = {item.key: item.value for item in error.trailing_metadata()}
    status = status_pb2.Status.FromString(metadata["grpc-status-details-bin"])
    detail = provider_pb2.ErrorResourceInitFailed()
    assert status.details[0].Unpack(detail)
    return detail
