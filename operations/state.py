"""Pulumi's exported state, read with types and changed by pure functions.

The format is Pulumi's `apitype.UntypedDeployment` around a `DeploymentV3`: an ordered list of resources in
which everything a resource depends on stands before it, and `pending_operations`, which the engine writes
before it calls a provider and removes when the call returns
(https://www.pulumi.com/docs/iac/concepts/state-and-backends/).
"""

import copy
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from operations.errors import StateError

SUPPORTED_VERSIONS = frozenset({3, 4})
"""Version 4 is version 3 with a list of features beside it; nothing here touches those."""

STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER_PREFIX = "pulumi:providers:"


@dataclass(frozen=True)
class Resource:
    """One resource record of the state.

    Attributes:
        record: The record as Pulumi wrote it.
    """

    record: Mapping[str, Any]

    @property
    def urn(self) -> str:
        """The URN."""
        return str(self.record["urn"])

    @property
    def resource_type(self) -> str:
        """The type, such as `aws:ec2/vpc:Vpc`."""
        return str(self.record["type"])

    @property
    def name(self) -> str:
        """The logical name in the program."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def id(self) -> str:
        """The provider's id; empty for components and planned resources."""
        return str(self.record.get("id", ""))

    @property
    def parent(self) -> str:
        """The parent's URN; empty for the stack."""
        return str(self.record.get("parent", ""))

    @property
    def inputs(self) -> Mapping[str, Any]:
        """Inputs, secrets encrypted."""
        return self.record.get("inputs") or {}

    @property
    def outputs(self) -> Mapping[str, Any]:
        """Outputs, secrets encrypted."""
        return self.record.get("outputs") or {}

    @property
    def is_cloud(self) -> bool:
        """Whether a provider made it: neither a component nor a provider."""
        return bool(self.record.get("custom")) and not self.resource_type.startswith(PROVIDER_PREFIX)

    @property
    def region(self) -> str | None:
        """The region that the resource itself asks for, if it does."""
        region = self.outputs.get("region") or self.inputs.get("region")
        return region if isinstance(region, str) else None

    @property
    def identities(self) -> frozenset[str]:
        """Everything the cloud may call it by: id, ARN, physical name."""
        keys = ("arn", "name", "identifier", "clusterIdentifier", "repositoryUrl")
        found = {self.id, *(self.outputs.get(key) for key in keys)}
        return frozenset(value for value in found if isinstance(value, str) and value)


@dataclass(frozen=True)
class PendingOperation:
    """A provider call whose end the engine did not see.

    Attributes:
        kind: `creating`, `updating`, `deleting`, `reading` or `importing`.
        resource: The resource as it was when the call began.
    """

    kind: str
    resource: Resource


@dataclass(frozen=True)
class Deployment:
    """The state of a stack.

    Attributes:
        document: The whole export.
    """

    document: Mapping[str, Any]

    @cached_property
    def resources(self) -> tuple[Resource, ...]:
        """Every resource in the order of the state."""
        return tuple(Resource(record) for record in self._body.get("resources") or ())

    @cached_property
    def pending(self) -> tuple[PendingOperation, ...]:
        """Operations that never ended."""
        operations = self._body.get("pending_operations") or ()
        return tuple(PendingOperation(str(item["type"]), Resource(item["resource"])) for item in operations)

    @property
    def cloud_resources(self) -> tuple[Resource, ...]:
        """Resources that stand in a cloud."""
        return tuple(resource for resource in self.resources if resource.is_cloud)

    @property
    def urns(self) -> frozenset[str]:
        """URNs of every resource."""
        return frozenset(resource.urn for resource in self.resources)

    @cached_property
    def _held(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (each.resource_type, name) for each in self.cloud_resources for name in each.identities
        )

    @cached_property
    def _arns(self) -> frozenset[str]:
        return frozenset(name for _, name in self._held if name.startswith("arn:"))

    def holds(self, resource_type: str, names: Iterable[str]) -> bool:
        """Tell whether a resource of a type is known by one of some ids; ARNs count whatever the type."""
        return any(name in self._arns or (resource_type, name) in self._held for name in names)

    def component_of(self, resource: Resource) -> str:
        """Return the outermost component above a resource, `(program)` when it has none."""
        by_urn = {each.urn: each for each in self.resources}
        outermost = None
        above = by_urn.get(resource.parent)
        while above is not None and above.resource_type != STACK_TYPE:
            outermost, above = above, by_urn.get(above.parent)
        return outermost.name if outermost else "(program)"

    def provider_region(self) -> str | None:
        """Return the region of the first AWS provider in the state."""
        for resource in self.resources:
            region = resource.inputs.get("region")
            if resource.resource_type == f"{PROVIDER_PREFIX}aws" and isinstance(region, str):
                return region
        return None

    def adopt(self, resource: Resource, physical_id: str, overrides: Mapping[str, Any]) -> "Deployment":
        """Return the state with one more resource, and without its pending creation.

        It is appended, so everything it depends on has to stand in the state already.

        Args:
            resource: The record from a pending operation or a plan.
            physical_id: What the cloud calls it.
            overrides: Inputs that the cloud knows better, such as an auto-generated name.

        Raises:
            StateError: The record cannot stand in the state: already there, parent, provider or dependency
            missing.
        """
        self._require_adoptable(resource)
        record = copy.deepcopy(dict(resource.record))
        record["id"] = physical_id
        record["inputs"] = {**resource.inputs, **overrides}
        record["outputs"] = {**record["inputs"], **(record.get("outputs") or {})}
        return self.without_pending(resource.urn)._changed(
            lambda body: body.setdefault("resources", []).append(record)
        )

    def with_components(self, resource: Resource, planned: Mapping[str, Resource]) -> "Deployment":
        """Return the state with the components that a resource stands under or depends on, outermost first.

        Args:
            resource: The record that needs them.
            planned: What `pulumi up` would create, by URN; only components of it are taken, for a component
                exists in the state alone and nothing else can be recorded without an id.
        """
        deployment, have = self, self.urns
        for urn in _needs(resource):
            component = planned.get(urn)
            if urn not in have and component is not None and not component.record.get("custom"):
                deployment = deployment.with_components(component, planned).with_more([component])
                have = deployment.urns
        return deployment

    def without_pending(self, urn: str) -> "Deployment":
        """Return the state with the operations on one resource forgotten."""

        def forget(body: dict[str, Any]) -> None:
            operations = body.pop("pending_operations", None) or []
            kept = [item for item in operations if item["resource"]["urn"] != urn]
            if kept:
                body["pending_operations"] = kept

        return self._changed(forget)

    def with_values(self, urn: str, values: Mapping[str, Any]) -> "Deployment":
        """Return the state with inputs and outputs of one resource overwritten."""

        def overwrite(body: dict[str, Any]) -> None:
            for record in body.get("resources") or ():
                if record["urn"] == urn and not record.get("delete"):
                    record["inputs"] = {**(record.get("inputs") or {}), **values}
                    record["outputs"] = {**(record.get("outputs") or {}), **values}

        return self._changed(overwrite)

    def with_more(self, resources: Iterable[Resource]) -> "Deployment":
        """Return the state with further records, for looking things up; it may not be fit to be imported."""
        records = [dict(each.record) for each in resources]
        return self._changed(lambda body: body.setdefault("resources", []).extend(records))

    def changed_since(self, earlier: "Deployment") -> tuple[str, ...]:
        """Return the URNs whose records or pending operations are not those of an earlier export.

        The root is left out, for probing the lock refreshes it; pending operations that are gone are no
        change, for the same refresh forgets them. Ciphertexts are left out, for the engine may encrypt the
        same value anew, and what is empty, for it leaves some of that out when it writes a record again; a
        resource whose values were changed has another time of modification.
        """
        before, now = _fingerprints(earlier), _fingerprints(self)
        told_apart = {urn for urn, _ in before ^ now}
        known = {(each.kind, each.resource.urn) for each in earlier.pending}
        started = {each.resource.urn for each in self.pending if (each.kind, each.resource.urn) not in known}
        return tuple(sorted(told_apart | started))

    def text(self) -> str:
        """Return the document that `pulumi stack import` takes."""
        return json.dumps(self.document, indent=2)

    @property
    def _body(self) -> Mapping[str, Any]:
        body: Mapping[str, Any] = self.document["deployment"]
        return body

    def _changed(self, change: Callable[[dict[str, Any]], None]) -> "Deployment":
        document = copy.deepcopy(dict(self.document))
        change(document["deployment"])
        return Deployment(document)

    def _require_adoptable(self, resource: Resource) -> None:
        if resource.urn in self.urns:
            raise StateError(f"{resource.urn} is already in the state")
        missing = sorted({urn for urn in _needs(resource) if urn not in self.urns})
        if missing:
            raise StateError(f"{resource.urn} needs {', '.join(missing)}, which the state does not have")


def _needs(resource: Resource) -> tuple[str, ...]:
    provider = str(resource.record.get("provider", "")).rsplit("::", 1)[0]
    needed = (resource.parent, provider, *(resource.record.get("dependencies") or ()))
    return tuple(urn for urn in needed if urn)


def _fingerprints(deployment: Deployment) -> set[tuple[str, str]]:
    return {
        (each.urn, json.dumps(_essence(each.record), sort_keys=True))
        for each in deployment.resources
        if each.resource_type != STACK_TYPE
    }


def _essence(value: Any) -> Any:
    """Return a value without ciphertexts, and without what is empty: the engine may write `[]` as nothing."""
    if isinstance(value, Mapping):
        kept = {key: _essence(each) for key, each in value.items() if key != "ciphertext"}
        return {key: each for key, each in kept.items() if each not in (None, [], {})}
    if isinstance(value, list):
        return [_essence(each) for each in value]
    return value


def parse_deployment(text: str) -> Deployment:
    """Read an exported state.

    Args:
        text: Output of `pulumi stack export`.

    Raises:
        StateError: It is not JSON, not a deployment, or of an unknown version.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise StateError(f"the exported state is not JSON ({error}); restore a backup of it") from error
    if not isinstance(document, dict) or not isinstance(document.get("deployment"), dict):
        raise StateError("the exported state has no `deployment`; restore a backup of it")
    if document.get("version") not in SUPPORTED_VERSIONS:
        known = ", ".join(str(version) for version in sorted(SUPPORTED_VERSIONS))
        raise StateError(
            f"the state has version {document.get('version')!r}; this program knows {known}: update it"
        )
    _require_records(document["deployment"])
    return Deployment(document)


def _require_records(body: Mapping[str, Any]) -> None:
    records: Iterable[Any] = body.get("resources") or ()
    operations: Iterable[Any] = body.get("pending_operations") or ()
    wrapped = [
        item.get("resource") if isinstance(item, dict) and "type" in item else None for item in operations
    ]
    for record in (*records, *wrapped):
        if not isinstance(record, dict) or not isinstance(record.get("urn"), str) or "type" not in record:
            raise StateError(
                f"the state holds a record without URN or type: {str(record)[:120]}; restore a backup of it"
            )
