"""Every declared type against the SDK and botocore: nothing is dropped, nothing names what is not there."""

from collections.abc import Iterator

import pytest
from cloudcommerce_sandbox.plugins import sdk
from cloudcommerce_sandbox.plugins.aws import coverage, models, registry, tags
from cloudcommerce_sandbox.plugins.aws.declaration import EVERYTHING, Call, Fetch, ResourceType
from cloudcommerce_sandbox.plugins.provider import ProviderError

KINDS = registry.every()
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.pulumi_type)


def _calls(kind: ResourceType) -> Iterator[Call]:
    yield from (step for step in (*kind.create, *kind.update, *kind.delete) if isinstance(step, Call))


def _operations(kind: ResourceType) -> Iterator[tuple[str, str]]:
    for call in _calls(kind):
        yield call.service or kind.service, call.operation
    fetches: list[Fetch] = list(kind.read.also) if kind.read else []
    if kind.read and kind.read.operation:
        yield kind.read.service or kind.service, kind.read.operation
    if kind.tags:
        fetches += [kind.tags.list] if kind.tags.list else []
        for operation in (kind.tags.tag, kind.tags.untag):
            yield kind.tags.service or kind.service, operation
    for fetch in fetches:
        yield fetch.service or kind.service, fetch.operation


def _path_exists(kind: ResourceType, path: str) -> bool:
    name, *rest = path.split(".")
    found = sdk.schema(kind.pulumi_type).inputs.get(name)
    type_ = found.kind if found else sdk.schema(kind.pulumi_type).outputs.get(name)
    for inner in rest:
        while type_ is not None and type_.name == "list":
            type_ = type_.item
        fields = type_.fields if type_ is not None else {}
        type_ = fields[inner].kind if inner in fields else None
    return type_ is not None


@every_kind
def test_every_input_is_mapped_local_or_refused_with_a_reason(kind: ResourceType) -> None:
    assert set(coverage.refused(kind)) == set(kind.unsupported)
    assert all(reason.strip() for reason in kind.unsupported.values())


@every_kind
def test_every_output_can_be_told(kind: ResourceType) -> None:
    assert coverage.unreadable(kind) == set()


@every_kind
def test_every_operation_and_every_fixed_member_exists_in_botocore(kind: ResourceType) -> None:
    for service, operation in _operations(kind):
        models.operation(service, operation)
    for call in _calls(kind):
        shape = models.input_shape(call.service or kind.service, call.operation)
        for path in call.set:
            assert path.split(".")[0] in shape.members, f"{call.operation} has no member {path}"


@every_kind
def test_every_name_in_the_declaration_exists_in_the_sdk(kind: ResourceType) -> None:
    named = {*kind.unsupported, *kind.local, *kind.outputs, *kind.no_output, *kind.fields}
    named |= set() if kind.force_new == EVERYTHING else set(kind.force_new)
    for step in (*kind.create, *kind.update):
        named |= set(step.on)
    assert {path for path in named if not _path_exists(kind, path)} == set()


@every_kind
def test_every_input_is_changed_in_place_or_replaces_the_resource(kind: ResourceType) -> None:
    assert coverage.unchangeable(kind) == frozenset()


@every_kind
def test_every_type_cites_its_source(kind: ResourceType) -> None:
    assert kind.docs.startswith("https://")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.tags], ids=lambda kind: kind.pulumi_type)
def test_what_carries_tags_is_made_with_them(kind: ResourceType) -> None:
    """Recovery knows what a kill cut off by its tags: a second call for them may never come."""
    assert kind.tags
    if kind.pulumi_type != "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup":  # AWS made it with the VPC
        assert isinstance(kind.create[0], Call)
        assert tags.on_create(kind.tags, {"Name": "web"}) != {}


def test_types_are_declared_once() -> None:
    tokens = [kind.pulumi_type for kind in KINDS]
    assert len(tokens) == len(set(tokens))
    assert len(tokens) >= 20


def test_an_undeclared_type_is_refused_by_name() -> None:
    with pytest.raises(ProviderError, match="does not implement aws:ec2/spotFleet:SpotFleet"):
        registry.find("aws:ec2/spotFleet:SpotFleet")
