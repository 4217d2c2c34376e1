"""Mission rows as markers, as in the rest of the repository."""

import pytest

_MISSION_ROWS = ("M04", "M05", "M06", "M60", "M61")


def pytest_configure(config: pytest.Config) -> None:
    """Register one marker a row (`pytest -m mission_M05`)."""
    for row in _MISSION_ROWS:
        config.addinivalue_line("markers", f"mission_{row}: fails when mission row {row} breaks")
