"""What became of an object since it was last seen."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes import crd_fields, drift, imports, objects
from cloudcommerce_sandbox.plugins.kubernetes.awaiting import wait
from cloudcommerce_sandbox.plugins.kubernetes.awaiting.reasons import reasons
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Object
from cloudcommerce_sandbox.plugins.kubernetes.errors import NoSuchKindError
from cloudcommerce_sandbox.plugins.kubernetes.operation import Operation
from cloudcommerce_sandbox.plugins.kubernetes.secret_marks import mark
from cloudcommerce_sandbox.plugins.provider import InitializationError, Tree


def refresh(operation: Operation) -> tuple[str, Tree, Tree]:
    """Return id, inputs and outputs as they are now; an empty id when the object is gone.

    Raises:
        InitializationError: It is there but not ready.
        ProviderError: The server does not tell.
    """
    try:
        live = operation.find(_identity(operation))
    except NoSuchKindError:
        live = None  # its definition is gone, and all its objects with it
    if live is None:
        return "", {}, {}
    known = wire.reveal(operation.request.inputs)
    if not known:
        inputs: Tree = mark(crd_fields.to_sdk(imports.inputs_of(live)), {})
        return objects.id_of(live), inputs, operation.outputs(live, inputs)
    plain = drift.live_inputs(known, wire.reveal(operation.request.state), crd_fields.to_sdk(live))
    inputs = mark(plain, operation.request.inputs)
    outputs = operation.outputs(live, inputs)
    if not objects.is_true(known, objects.SKIP_AWAIT) and not wait.is_healthy(operation.cluster, live):
        lines = [f"{objects.label(live)} is not ready", *reasons(operation.cluster, live)]
        raise InitializationError("\n  ".join(lines), operation.request.id, outputs, inputs)
    return operation.request.id, inputs, outputs


def _identity(operation: Operation) -> Object:
    """Return what to look for: the id's name and namespace, of the state's kind or the token's."""
    namespace, name = objects.parse_id(operation.request.id)
    source = operation.state or operation.wanted
    if operation.state:
        namespace = objects.namespace(source) or namespace
    elif not namespace and operation.cluster.is_namespaced(source["apiVersion"], source["kind"]):
        namespace = operation.cluster.default_namespace
    return {
        "apiVersion": source["apiVersion"],
        "kind": source["kind"],
        "metadata": {"name": name, "namespace": namespace},
    }
