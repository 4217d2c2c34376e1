"""A Pulumi engine for unit tests: it records what a program registers and answers like a cloud would.

`deploy(program)` runs a program in a context of its own (Pulumi keeps its state in context variables), so any
number of programs run in one process without seeing each other. Unlike Pulumi's own mocks it keeps what
properties tests ask for: parents, protection, ignored changes, aliases, secrets and stack outputs.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import mocks, rpc, settings, stack
from pulumi.runtime.proto import engine_pb2, provider_pb2, resource_pb2

from tests.unit.computed_outputs import computed_outputs
from tests.unit.constructed_components import CONSTRUCTED

PROJECT = "cloudcommerce"
STACK = "test"

Invoke = Callable[[dict[str, Any]], Mapping[str, Any]]
Compute = Callable[[str, str], Mapping[str, Any]]


@dataclass(frozen=True)
class Resource:
    """One registered resource, as the engine saw it (property names in camelCase)."""

    urn: str
    type: str
    name: str
    parent: str
    custom: bool
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    secret_inputs: frozenset[str]
    protect: bool
    ignore_changes: tuple[str, ...]
    aliases: tuple[str, ...]
    depends_on: tuple[str, ...]
    provider: str
    options: resource_pb2.RegisterResourceRequest = field(repr=False, compare=False)

    @property
    def type_chain(self) -> str:
        """The URN's qualified type: the types of all ancestors, joined with `$`."""
        return self.urn.split("::")[2]


@dataclass
class Deployment:
    """Everything one program registered, in order, and what it returned and exported."""

    resources: list[Resource] = field(default_factory=list)
    invokes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    exports: dict[str, Any] = field(default_factory=dict)
    secret_exports: frozenset[str] = frozenset()
    warnings: list[str] = field(default_factory=list)
    component_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    secret_component_outputs: dict[str, frozenset[str]] = field(default_factory=dict)
    result: Any = None

    def all(self, type_: str) -> list[Resource]:
        """All resources of a token, given whole (`aws:ec2/subnet:Subnet`) or by its end (`Subnet`)."""
        return [r for r in self.resources if type_ in (r.type, r.type.rpartition(":")[2])]

    def named(self, name: str, type_: str | None = None) -> Resource:
        """The one resource of a logical name (and of a type, where names repeat).

        Raises:
            AssertionError: none or several are there; the message lists the names that are.
        """
        pool = self.resources if type_ is None else self.all(type_)
        found = [r for r in pool if r.name == name]
        assert len(found) == 1, f"{len(found)} resources named {name!r} among {sorted(r.name for r in pool)}"
        return found[0]

    def one(self, type_: str) -> Resource:
        """The only resource of a type.

        Raises:
            AssertionError: none or several are there.
        """
        found = self.all(type_)
        assert len(found) == 1, f"{len(found)} resources of type {type_}: {[r.name for r in found]}"
        return found[0]

    def children(self, parent: Resource) -> list[Resource]:
        """The resources registered directly under a parent."""
        return [r for r in self.resources if r.parent == parent.urn]


def deploy(
    program: Callable[[], Any],
    *,
    preview: bool = False,
    invokes: Mapping[str, Invoke | Mapping[str, Any]] | None = None,
    config: Mapping[str, str] | None = None,
    compute: Compute = computed_outputs,
) -> Deployment:
    """Run a program to its end and hand back what it registered.

    Args:
        program: Registers resources; outputs in its return value are resolved into `Deployment.result`.
        preview: Leave everything that a provider would compute unknown, as `pulumi preview` does.
        invokes: Answers by token, constant or computed from the arguments; any other invoke fails the test.
        config: Stack configuration by full key (`cloudcommerce:network`), JSON for structured values.
        compute: What a provider computes, by the resource's token and logical name.

    Raises:
        Exception: whatever the program or one of its registrations raises.
    """
    return contextvars.copy_context().run(
        lambda: asyncio.run(_deploy(program, preview, dict(invokes or {}), dict(config or {}), compute))
    )


async def _deploy(
    program: Callable[[], Any],
    preview: bool,
    invokes: dict[str, Invoke | Mapping[str, Any]],
    config: dict[str, str],
    compute: Compute,
) -> Deployment:
    # A registration that fails also fails everything that waits for it; deploy() raises the first of these.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    deployment = Deployment()
    settings.ROOT.set(None)
    settings.configure(
        settings.Settings(
            project=PROJECT,
            stack=STACK,
            dry_run=preview,
            monitor=_Monitor(deployment, preview, invokes, compute),
            engine=_Engine(deployment),
            organization="organization",
        )
    )
    pulumi.runtime.set_all_config(config)
    returned: list[Any] = []
    await stack.run_in_stack(lambda: returned.append(pulumi.Output.from_input(program())))
    deployment.result = await returned[0].future()
    return deployment


class _Engine(mocks.MockEngine):
    """The engine a program logs to: keeps what users would be warned of."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(logging.getLogger("pulumi"))
        self._deployment = deployment

    def Log(self, request: engine_pb2.LogRequest) -> empty_pb2.Empty:  # noqa: N802  # named by the protocol
        if request.severity >= engine_pb2.WARNING:
            self._deployment.warnings.append(request.message)
        return empty_pb2.Empty()


class _Monitor(mocks.MockMonitor):
    """The resource monitor a program talks to: records, and answers with plausible computed properties."""

    def __init__(
        self,
        deployment: Deployment,
        preview: bool,
        invokes: dict[str, Invoke | Mapping[str, Any]],
        compute: Compute,
    ) -> None:
        super().__init__(mocks=None)  # type: ignore[arg-type]  # every use of it is overridden here
        self._deployment = deployment
        self._preview = preview
        self._invokes = invokes
        self._computed = compute

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """The URN as the engine makes it: the whole chain of parent types, without the stack's."""
        chain = [] if not parent or _is_stack_urn(parent) else [parent.split("::")[2]]
        return "::".join((f"urn:pulumi:{STACK}", PROJECT, "$".join([*chain, type_]), name))

    def RegisterResource(  # noqa: N802  # named by the protocol
        self, request: resource_pb2.RegisterResourceRequest
    ) -> resource_pb2.RegisterResourceResponse:
        is_stack = request.type == "pulumi:pulumi:Stack"
        urn = self.make_urn(
            "" if _is_stack_urn(request.parent) else request.parent, request.type, request.name
        )
        if is_stack:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        duplicates = [r for r in self._deployment.resources if r.urn == urn]
        if duplicates:
            raise ValueError(f"duplicate URN {urn}: the engine refuses two resources of one type and name")
        state = struct_pb2.Struct()
        state.CopyFrom(request.object)
        if request.custom:
            self._compute(request, state)
        self._deployment.resources.append(_resource(urn, request, state))
        if request.remote:
            return resource_pb2.RegisterResourceResponse(urn=urn, object=self._construct(urn, request))
        id_ = "" if not request.custom or self._preview else f"{request.name}-id"
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id_, object=state)

    def _construct(self, parent: str, request: resource_pb2.RegisterResourceRequest) -> struct_pb2.Struct:
        """Register what a component's plugin would and hands out, and return it as references."""
        children = CONSTRUCTED.get(request.type)
        if children is None:
            raise LookupError(f"unexpected remote component {request.type}: add what it hands out")
        outputs = struct_pb2.Struct()
        inputs, _ = _plain_properties(request.object)
        for output, child in children(request.name, inputs).items():
            properties = struct_pb2.Struct()
            properties.update(child.inputs)
            registered = self.RegisterResource(
                resource_pb2.RegisterResourceRequest(
                    type=child.type,
                    name=child.name,
                    parent=parent,
                    custom=True,
                    object=properties,
                    provider=next(iter(request.providers.values()), ""),
                )
            )
            reference = {rpc._special_sig_key: rpc._special_resource_sig, "urn": registered.urn}
            outputs.update({output: reference | {"id": registered.id or rpc.UNKNOWN, "packageVersion": ""}})
        return outputs

    def _compute(self, request: resource_pb2.RegisterResourceRequest, state: struct_pb2.Struct) -> None:
        for key, value in self._computed(request.type, request.name).items():
            if key in state.fields or key in ("id", "urn"):
                continue
            shown = rpc.UNKNOWN if self._preview else value
            if key in request.additionalSecretOutputs:
                state.update({key: {rpc._special_sig_key: rpc._special_secret_sig, "value": shown}})
            else:
                state.update({key: shown})

    def RegisterResourceOutputs(  # noqa: N802  # named by the protocol
        self, request: resource_pb2.RegisterResourceOutputsRequest
    ) -> empty_pb2.Empty:
        plain, secret = _plain_properties(request.outputs)
        if _is_stack_urn(request.urn):
            self._deployment.exports = plain
            self._deployment.secret_exports = secret
        else:
            self._deployment.component_outputs[request.urn] = plain
            self._deployment.secret_component_outputs[request.urn] = secret
        return empty_pb2.Empty()

    def Invoke(  # noqa: N802  # named by the protocol
        self, request: resource_pb2.ResourceInvokeRequest
    ) -> provider_pb2.InvokeResponse:
        args, _ = _plain_properties(request.args)
        if request.tok == "pulumi:pulumi:getResource":
            return self._get_resource(args["urn"])
        self._deployment.invokes.append((request.tok, args))
        answer = self._invokes.get(request.tok)
        if answer is None:
            raise LookupError(f"unexpected invoke {request.tok}({args}): pass its answer in `invokes`")
        returned = struct_pb2.Struct()
        returned.update(dict(answer(args) if callable(answer) else answer))
        return provider_pb2.InvokeResponse(**{"return": returned})

    def _get_resource(self, urn: str) -> provider_pb2.InvokeResponse:
        (found,) = (r for r in self._deployment.resources if r.urn == urn)
        returned = struct_pb2.Struct()
        id_ = rpc.UNKNOWN if self._preview else f"{found.name}-id"
        returned.update({"urn": urn, "id": id_, "state": found.outputs})
        return provider_pb2.InvokeResponse(**{"return": returned})


def _is_stack_urn(urn: str) -> bool:
    return "::pulumi:pulumi:Stack::" in urn


def _resource(urn: str, request: resource_pb2.RegisterResourceRequest, state: struct_pb2.Struct) -> Resource:
    inputs, secrets = _plain_properties(request.object)
    outputs, _ = _plain_properties(state)
    return Resource(
        urn=urn,
        type=request.type,
        name=request.name,
        parent=request.parent,
        custom=request.custom,
        inputs=inputs,
        outputs=outputs,
        secret_inputs=secrets,
        protect=bool(request.protect),
        ignore_changes=tuple(request.ignoreChanges),
        aliases=(*request.aliasURNs, *(_alias(a) for a in request.aliases)),
        depends_on=tuple(request.dependencies),
        provider=request.provider,
        options=request,
    )


def _alias(alias: Any) -> str:
    return str(alias.urn or alias.spec.name)


def _plain_properties(struct: struct_pb2.Struct) -> tuple[dict[str, Any], frozenset[str]]:
    """A property bag as plain values, and which of its top-level properties hold a secret anywhere inside."""
    secrets = frozenset(key for key, value in struct.fields.items() if _holds_secret(value))
    return {key: _plain(value) for key, value in struct.fields.items()}, secrets


def _is_secret(value: struct_pb2.Value) -> bool:
    signature = value.struct_value.fields.get(rpc._special_sig_key)
    return signature is not None and signature.string_value == rpc._special_secret_sig


def _holds_secret(value: struct_pb2.Value) -> bool:
    inner = (*value.list_value.values, *value.struct_value.fields.values())
    return _is_secret(value) or any(_holds_secret(v) for v in inner)


def _plain(value: struct_pb2.Value) -> Any:
    if _is_secret(value):
        return _plain(value.struct_value.fields["value"])
    match value.WhichOneof("kind"):
        case "list_value":
            return [_plain(v) for v in value.list_value.values]
        case "struct_value":
            return {key: _plain(v) for key, v in value.struct_value.fields.items()}
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "null_value" | None:
            return None
        case kind:
            return getattr(value, kind)
