"""The production stack, whole: up, unchanged, audited, protected, taken down.

It comes up once for all tests of this file; the last of them takes it down.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cloudcommerce_sandbox.supervisor import stop_emulator

from tests.sandbox.workbench import CHECKOUT, Workbench, make_product_checkout

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.mission_M70]


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, pulumi: Path) -> Iterator[Workbench]:
    """A checkout of the product with a sandbox and an emulator of its own."""
    layout = make_product_checkout(tmp_path_factory.mktemp("product") / "checkout", pulumi)
    yield Workbench(layout)
    stop_emulator(layout)


@pytest.fixture(scope="module")
def first_up(bench: Workbench) -> "subprocess.CompletedProcess[str]":
    return _sandbox(bench, "up")


@pytest.fixture(scope="module")
def standing(bench: Workbench, first_up: "subprocess.CompletedProcess[str]") -> Workbench:
    assert first_up.returncode == 0, first_up.stdout[-4000:] + first_up.stderr
    return bench


@pytest.fixture(scope="module")
def proofs(standing: Workbench) -> list[dict[str, Any]]:
    """What `operations audit` proved, claim by claim."""
    done = standing.operations("audit", "--json")
    assert done.stdout, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["proofs"]
    return found


def _sandbox(bench: Workbench, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(Path(sys.executable).with_name("cloudcommerce-sandbox")), *arguments],
        cwd=bench.layout.checkout,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


@pytest.mark.mission_M71
def test_production_comes_up_and_leaves_tracked_files_alone(
    standing: Workbench, first_up: "subprocess.CompletedProcess[str]"
) -> None:
    assert "make down" in first_up.stdout
    assert "operations teardown" in first_up.stdout
    assert len(standing.state().custom()) > 150
    assert standing.orphans() == []
    for name in ("Pulumi.yaml", "Pulumi.prod.yaml"):
        assert (standing.layout.checkout / name).read_bytes() == (CHECKOUT / name).read_bytes()


def test_second_up_changes_nothing_and_says_so(standing: Workbench) -> None:
    before = standing.inventory()

    done = _sandbox(standing, "up")

    assert done.returncode == 0, done.stdout
    assert "Nothing to change" in done.stdout
    assert standing.inventory() == before


@pytest.mark.mission_M72
def test_audit_document_validates(standing: Workbench) -> None:
    printed = standing.session.engine.capture("stack", "output", "audit", "--json", "--stack", "prod")
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


def test_plain_destroy_is_refused_and_changes_nothing(standing: Workbench) -> None:
    before = standing.inventory()

    done = standing.session.engine.capture("destroy", "--yes", "--stack", "prod")

    assert done.returncode != 0
    assert "protect" in done.stdout + done.stderr
    assert standing.inventory() == before


def test_teardown_leaves_only_what_is_declared(standing: Workbench) -> None:
    done = standing.operations("teardown", "--yes", "--json")

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    outcome = json.loads(done.stdout)
    retained = json.dumps(outcome["retained"])
    left = standing.inventory()
    assert outcome["leftovers"] == {}
    assert [item for item in left if item["id"] not in retained] == []
    assert {item["type"] for item in left if item["state"] is None} <= {"snapshot", "cluster-snapshot"}
    assert standing.state().custom() == []
