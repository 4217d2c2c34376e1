"""What an audit says of the services' dependencies."""

from pathlib import Path

import pytest

from services.audit import Audit, audits, look_up

_UNREACHABLE = ("no such host",)


def _audit(directory: Path, script: str) -> Audit:
    return Audit("test", ["sh", "-c", script], directory, _UNREACHABLE)


def test_nothing_found_is_nothing_said(tmp_path: Path) -> None:
    assert look_up(_audit(tmp_path, "echo no vulnerabilities")) is None


def test_findings_are_shown(tmp_path: Path) -> None:
    found = look_up(_audit(tmp_path, "echo CVE-2026-1 in left-pad; exit 1"))
    assert found is not None
    assert found.startswith("vulnerable")
    assert "CVE-2026-1" in found


@pytest.mark.parametrize("stream", ["1", "2"])
def test_an_unreachable_database_is_no_clean_result(tmp_path: Path, stream: str) -> None:
    found = look_up(_audit(tmp_path, f"echo lookup vuln.example: no such host >&{stream}; exit 1"))
    assert found is not None
    assert found.startswith("NOT AUDITED")


def test_a_missing_tool_says_what_to_do(tmp_path: Path) -> None:
    found = look_up(Audit("test", [tmp_path / "absent"], tmp_path, _UNREACHABLE))
    assert found is not None
    assert "install" in found


def test_every_lock_of_the_services_is_audited() -> None:
    asked = {(audit.directory.name, *map(str, audit.command[-2:])) for audit in audits()}
    services = Path(__file__).parents[2] / "services"
    for lock in services.glob("product/requirements*.txt"):
        assert any(lock.name in words for words in asked), lock
    assert {path.parent.name for path in services.glob("*/package-lock.json")} == {"user"}
    assert {path.parent.name for path in services.glob("*/go.mod")} == {"order"}
