"""The three OpenAPI descriptions against the running services: no fault, and no answer left undescribed."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.local import guest
from services.local.building import CHECKOUT, built_once, run
from services.local.demo import flows
from services.local.home import Home

pytestmark = pytest.mark.mission_M02

_LOCK = CHECKOUT / "services" / "local" / "requirements-schemathesis.txt"
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
_EXAMPLES = 15
_EXAMPLES_FULL = 300


def _install(directory: Path) -> None:
    venv = directory / "venv"
    run("schemathesis", "install Python", [sys.executable, "-m", "venv", venv], directory)
    options = ("--quiet", "--require-hashes", "--requirement", _LOCK.name)
    run("schemathesis", "install Python's pip", [venv / "bin" / "pip", "install", *options], directory)


@pytest.fixture(scope="module")
def python() -> Path:
    """An interpreter that has schemathesis."""
    return built_once("schemathesis", [_LOCK], _install) / "venv" / "bin" / "python"


@pytest.fixture(scope="module")
def shop(home: Home, tools: Path) -> Iterator[flows.Shop]:
    with guest.started(home, tools):
        yield flows.Shop.of(home, print)


@pytest.fixture
def target(shop: flows.Shop, service: str) -> tuple[str, str]:
    """The address of a service, and a token that opens everything there: no 403 hides a thing."""
    return f"http://127.0.0.1:{shop.ports[service]}", flows.staff(shop).token


@pytest.mark.timeout(900)
@pytest.mark.parametrize("service", ["order", "product", "user"])
def test_every_answer_is_described(
    python: Path, target: tuple[str, str], service: str, full_run: bool, tmp_path: Path
) -> None:
    url, token = target
    examples = _EXAMPLES_FULL if full_run else _EXAMPLES
    command = [
        python, "-m", "schemathesis.cli", "run", CHECKOUT / "services" / service / "openapi.json",
        "--url", url, "--header", f"Authorization: Bearer {token}",
        "--checks", ",".join(_CHECKS), "--max-examples", str(examples), "--continue-on-failure",
        "--phases", "examples,coverage,fuzzing", "--suppress-health-check", "all", "--request-timeout", "20",
        # A stream has no end to wait for; the order service's own tests hold its events to the description.
        "--exclude-path-regex", "/events$",
        # The same examples each time: what fails here fails for everybody.
        *(() if full_run else ("--seed", "1", "--no-shrink")),
    ]  # fmt: skip
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(
        [*map(str, command)], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr
