"""The production stack, whole: up, unchanged, audited, protected, taken down.

It comes up once for all tests of the group `product`; the last of this file takes it down.
"""

import json
import subprocess
from typing import Any

import jsonschema
import pytest

from tests.sandbox.workbench import CHECKOUT, Workbench

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.mission_M70]


@pytest.fixture(scope="module")
def proofs(product: Workbench) -> list[dict[str, Any]]:
    """What `operations audit` proved, claim by claim."""
    done = product.operations("audit", "--json")
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["proofs"]
    return found


@pytest.mark.mission_M71
def test_production_comes_up_and_leaves_tracked_files_alone(
    product: Workbench, first_up: "subprocess.CompletedProcess[str]"
) -> None:
    assert "make down" in first_up.stdout
    assert "operations teardown" in first_up.stdout
    assert len(product.state().custom()) > 150
    assert product.orphans() == []
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        assert (product.layout.checkout / name).read_bytes() == (CHECKOUT / name).read_bytes()


def test_second_up_changes_nothing_and_says_so(product: Workbench) -> None:
    before = product.inventory()

    done = product.command("up")

    assert done.returncode == 0, done.stdout
    assert "Nothing to change" in done.stdout
    assert product.inventory() == before


@pytest.mark.mission_M72
def test_audit_document_validates(product: Workbench) -> None:
    printed = product.session.engine.capture("stack", "output", "audit", "--json", "--stack", "prod")
    schema = json.loads((CHECKOUT / "infra" / "audit" / "schema.json").read_text())

    document = json.loads(printed.stdout)

    jsonschema.validate(document, schema)
    assert document["components"]


@pytest.mark.mission_M20
@pytest.mark.mission_M22
@pytest.mark.mission_M23
@pytest.mark.mission_M24
@pytest.mark.mission_M25
@pytest.mark.mission_M27
@pytest.mark.mission_M50
@pytest.mark.mission_M72
def test_every_claim_holds_in_aws(proofs: list[dict[str, Any]]) -> None:
    assert len(proofs) > 50
    assert [proof for proof in proofs if not proof["passed"]] == []


def test_plain_destroy_is_refused_and_changes_nothing(product: Workbench) -> None:
    before = product.inventory()

    done = product.session.engine.capture("destroy", "--yes", "--stack", "prod")

    assert done.returncode != 0
    assert "protect" in done.stdout + done.stderr
    assert product.inventory() == before


def test_teardown_leaves_only_what_is_declared(product: Workbench) -> None:
    done = product.operations("teardown", "--yes", "--json")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    outcome = json.loads(done.stdout)
    retained = json.dumps(outcome["retained"])
    left = product.inventory()
    assert outcome["leftovers"] == {}
    assert [item for item in left if item["id"] not in retained] == []
    assert {item["type"] for item in left if item["state"] is None} <= {"snapshot", "cluster-snapshot"}
    assert product.state().custom() == []
