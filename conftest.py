"""Test tiers and mission rows, shared by every test folder of the repository."""

import os

import pytest
from cloudcommerce_sandbox.supervisor import OWNER_VARIABLE

# The rows of the product's mission; a test that fails when a row breaks carries its marker.
_MISSION_ROWS = [
    *range(1, 12), *range(20, 28), *range(30, 45), *range(50, 53), *range(60, 64), *range(70, 73),
]  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Register one marker a mission row (`pytest -m mission_M20`), and own the emulators that tests start."""
    # A killed run leaves none behind.
    os.environ[OWNER_VARIABLE] = str(os.getpid())
    for row in _MISSION_ROWS:
        config.addinivalue_line("markers", f"mission_M{row:02}: fails when mission row M{row:02} breaks")


@pytest.fixture(scope="session")
def full_run() -> bool:
    """Whether this is `make test-full`, which runs repeated tests at their full counts."""
    return os.environ.get("CLOUDCOMMERCE_TEST_FULL") == "1"
