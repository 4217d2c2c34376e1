"""What people read: nothing folded or cut off, at any width and in a pipe."""

import json

import pytest

from operations.interaction import Interaction
from operations.proofs.contract import Claim
from operations.proofs.judge import Proof
from operations.proofs.report import print_proofs

ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:document-db-catalog-AbCdEf-" + "x" * 60


def proof(component: str, *controls: str, reason: str = "") -> Proof:
    claim = Claim(component, "kms.key.rotation", ARN, True, "equals", True, controls)
    return Proof(claim, not reason, "kms.get_key_rotation_status", not reason, reason)


PROOFS = [
    proof("core", "CIS-AWS-3.6", "SOC2-CC6.1"),
    proof("core", "CIS-AWS-5.2"),
    proof("valkey-alarms", "SOC2-CC7.2"),
    proof("valkey-alarms", "SOC2-CC7.2", reason="AWS says False, required is equals True"),
]


@pytest.mark.parametrize("columns", ["80", "120", None])
def test_audit_is_a_line_a_component_and_each_failure_in_full(
    columns: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns) if columns else monkeypatch.delenv("COLUMNS", raising=False)

    print_proofs(Interaction(as_json=False), PROOFS, verbose=False)

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["PASS", "2", "core", "CIS-AWS-3.6", "5.2,", "SOC2-CC6.1"]
    assert lines[1].split() == ["FAIL", "1", "of", "2", "valkey-alarms", "SOC2-CC7.2"]
    assert sum(ARN in line for line in lines) == 1, "claims that hold are told with --verbose"
    assert any("AWS says False, required is equals True" in line for line in lines)
    assert lines[-1] == "3 of 4 claims hold."


def test_verbose_audit_tells_every_claim(capsys: pytest.CaptureFixture[str]) -> None:
    print_proofs(Interaction(as_json=False), PROOFS, verbose=True)

    assert capsys.readouterr().out.count(ARN) == len(PROOFS)


def test_json_audit_has_every_proof_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    print_proofs(Interaction(as_json=True), PROOFS, verbose=False)

    document = json.loads(capsys.readouterr().out)
    assert not document["passed"]
    assert [each["passed"] for each in document["proofs"]] == [True, True, True, False]


@pytest.mark.parametrize("columns", ["40", "80", "300", None])
def test_no_cell_of_a_table_is_folded_or_cut_off(
    columns: str | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", columns) if columns else monkeypatch.delenv("COLUMNS", raising=False)
    remedy = f"aws secretsmanager delete-secret --secret-id {ARN} --force-delete-without-recovery"
    rows = [("a secret [in] its window", ARN, remedy), ("nothing", "", "-")]

    Interaction(as_json=False).table("Kept by AWS", ("What", "Id", "How to remove it"), rows)

    lines = capsys.readouterr().out.splitlines()
    assert all(any(cell in line for line in lines) for row in rows for cell in row)


def test_rows_that_fit_stand_side_by_side(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")

    Interaction(as_json=False).table("What goes", ("Component", "Resources"), [("core", 36), ("valkey", 23)])

    assert ["core", "36"] in [line.split() for line in capsys.readouterr().out.splitlines()]
