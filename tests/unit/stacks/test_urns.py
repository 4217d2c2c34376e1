"""No resource of a stack in existence may be replaced because somebody renamed it."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.unit.mock_engine import Resource, deploy
from tests.unit.stacks import program
from tests.unit.stacks.golden import GOLDEN_FILES, compare, identities, read_golden

REMEDY = """
The engine would delete what is listed under `deleted` and create what is listed under `created`.
- Renamed, moved to another component or parent? Give it its former name:
  opts=pulumi.ResourceOptions(..., aliases=[pulumi.Alias(name="former-name")]).
- Meant? Run `python -m tests.unit.stacks.golden` and commit the difference with the reason for it.
"""


@pytest.mark.parametrize("environment", GOLDEN_FILES)
def test_program_knows_every_resource_of_a_stack_in_existence(environment: str) -> None:
    run = {"production": program.production, "staging": program.staging}[environment]
    deleted, created = compare(read_golden(environment), run().resources)

    assert (deleted, created) == ([], []), f"{deleted=}\n{created=}\n{REMEDY}"


@pytest.mark.parametrize("environment", GOLDEN_FILES)
def test_golden_file_has_each_resource_once(environment: str) -> None:
    golden = read_golden(environment)

    assert golden == sorted(set(golden)), f"{GOLDEN_FILES[environment]} is not sorted or repeats a line"


class _Store(pulumi.ComponentResource):
    def __init__(
        self,
        name: str,
        *,
        child: str = "group",
        aliases: list[pulumi.Alias] | None = None,
        child_aliases: list[pulumi.Alias] | None = None,
    ) -> None:
        super().__init__("test:index:Store", name, opts=pulumi.ResourceOptions(aliases=aliases))
        aws.ec2.SecurityGroup(
            f"{name}-{child}", opts=pulumi.ResourceOptions(parent=self, aliases=child_aliases)
        )


def store(name: str, **arguments: Any) -> list[Resource]:
    return deploy(lambda: _Store(name, **arguments) and None).resources


BEFORE = identities(store("orders"))


def test_unchanged_program_passes() -> None:
    assert compare(BEFORE, store("orders")) == ([], [])


def test_rename_without_alias_fails() -> None:
    deleted, created = compare(BEFORE, store("purchases"))

    assert [d.name for d in deleted] == ["orders", "orders-group"]
    assert [c.name for c in created] == ["purchases", "purchases-group"]


def test_rename_with_alias_passes_and_takes_the_children_along() -> None:
    assert compare(BEFORE, store("purchases", aliases=[pulumi.Alias(name="orders")])) == ([], [])


def test_renamed_child_needs_an_alias_of_its_own() -> None:
    renamed = store("orders", child="sg")
    aliased = store("orders", child="sg", child_aliases=[pulumi.Alias(name="orders-group")])

    assert [d.name for d in compare(BEFORE, renamed)[0]] == ["orders-group"]
    assert compare(BEFORE, aliased) == ([], [])


def test_parent_and_child_renamed_together() -> None:
    both = store(
        "purchases",
        child="sg",
        aliases=[pulumi.Alias(name="orders")],
        child_aliases=[pulumi.Alias(name="purchases-group")],
    )

    assert compare(BEFORE, both) == ([], [])


def test_added_resource_must_be_recorded() -> None:
    with_more = [*store("orders"), *store("more")]

    assert [c.name for c in compare(BEFORE, with_more)[1]] == ["more", "more-group"]
