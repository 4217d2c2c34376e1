"""Which resources a stack in existence has, and whether a program still knows each of them.

The engine tells resources apart by URN. One that it no longer finds in the program it deletes, and one that
it does not know it creates: so a rename replaces, which for a database means a new and empty one, unless the
resource says with an alias what it was called before.
https://www.pulumi.com/docs/iac/concepts/resources/options/aliases/


`python -m tests.unit.stacks.golden` rewrites the golden files from the program as it is.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.unit.mock_engine import Resource

GOLDEN_FILES = {
    environment: Path(__file__).with_name(f"{environment}.urns") for environment in ("production", "staging")
}


class Identity(NamedTuple):
    """What of a URN a program decides: the types of all ancestors with the resource's own, and its name."""

    types: str
    name: str


def identities(resources: Iterable[Resource]) -> list[Identity]:
    """The identities of registered resources, sorted."""
    return sorted(Identity(r.type_chain, r.name) for r in resources)


def read_golden(environment: str) -> list[Identity]:
    """The identities that the golden file of an environment lists."""
    return [
        Identity(*line.split(" ", 1)) for line in GOLDEN_FILES[environment].read_text("utf-8").splitlines()
    ]


def compare(golden: Iterable[Identity], resources: list[Resource]) -> tuple[list[Identity], list[Identity]]:
    """Hold a program against a golden list.

    Returns:
        What the engine would delete (listed, and no resource is or was called so), and what it would create
        (neither the resource nor any of its aliases is listed).
    """
    listed = set(golden)
    by_urn = {resource.urn: resource for resource in resources}
    known = {r.urn: {Identity(r.type_chain, r.name), *_former(r, by_urn)} for r in resources}
    deleted = listed - set().union(*known.values())
    created = identities(by_urn[urn] for urn, ids in known.items() if not ids & listed)
    return sorted(deleted), created


def _former(resource: Resource, by_urn: dict[str, Resource]) -> Iterator[Identity]:
    """All identities that the engine would take for this resource, by its own aliases and its ancestors'."""
    parent = by_urn.get(resource.parent)
    places = [(parent.type_chain, parent.name), *_former(parent, by_urn)] if parent else [("", "")]
    own = [(resource.type, resource.name), *(_alias(a, resource) for a in resource.options.aliases)]
    for chain, parent_name in places:
        for type_, name in own:
            # As the engine does it: a child named after its parent was named after the parent's former name.
            inherits = parent is not None and name.startswith(parent.name)
            here = parent_name + name.removeprefix(parent.name) if parent and inherits else name
            yield Identity(f"{chain}${type_}" if chain else type_, here)


def _alias(alias: Any, resource: Resource) -> tuple[str, str]:
    if alias.WhichOneof("alias") == "urn":
        *_, types, name = alias.urn.split("::")
        return types.rpartition("$")[2], name
    return alias.spec.type or resource.type, alias.spec.name or resource.name


if __name__ == "__main__":
    from tests.unit.stacks.program import deploy_production, deploy_staging

    for environment, deployment in (("production", deploy_production()), ("staging", deploy_staging())):
        lines = [" ".join(identity) for identity in identities(deployment.resources)]
        GOLDEN_FILES[environment].write_text("\n".join(lines) + "\n", encoding="utf-8")
