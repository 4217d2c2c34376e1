"""What each service's suite runs, as its README says."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.local import builds
from services.local.building import CHECKOUT
from services.testing.workspace import Workspace

_SERVICES = CHECKOUT / "services"
# Fifty kills take longer than the ten minutes that Go grants by itself.
_GO_TIMEOUT = "40m"


@dataclass(frozen=True, kw_only=True)
class Step:
    """One command of a suite.

    Attributes:
        name: A few words.
        command: It ends with 0 when all is well.
        silent: Whatever it prints is a complaint.
    """

    name: str
    command: Sequence[str | Path]
    silent: bool = False


@dataclass(frozen=True, kw_only=True)
class Suite:
    """All that checks one service.

    Attributes:
        name: The service.
        directory: Where the steps run.
        steps: In this order; each runs, whatever became of those before.
        environment: Variables beside those of the stores.
    """

    name: str
    directory: Path
    steps: Sequence[Step]
    environment: Mapping[str, str] = field(default_factory=dict)


STORES: Mapping[str, Mapping[str, str]] = {
    "user": {"TEST_MONGODB_URL": "mongodb", "TEST_REDIS_URL": "redis"},
    "product": {"TEST_POSTGRES_URL": "postgres", "TEST_REDIS_URL": "redis"},
    "order": {"TEST_POSTGRES_URL": "postgres", "TEST_REDIS_URL": "redis", "TEST_RABBITMQ_URL": "rabbitmq"},
}
"""The variables that lead a service's tests and benchmark to their stores, and which store each names."""


def store_variables(service: str, urls: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that lead a service's tests and benchmark to their stores.

    Args:
        service: Its name.
        urls: Of the stores that run.
    """
    found = {variable: urls[kind] for variable, kind in STORES[service].items()}
    # A database each: one suite empties what another fills.
    found["TEST_REDIS_URL"] += f"/{[*STORES].index(service)}"
    return found


def prepare(service: str, workspace: Workspace) -> Suite:
    """Build what a service's suite needs, and return the suite.

    Args:
        service: Its name.
        workspace: Where it works.

    Raises:
        ShopError: A program is missing, or a build failed.
    """
    return _PREPARATIONS[service](workspace)


def _user(workspace: Workspace) -> Suite:
    return Suite(
        name="user",
        directory=workspace.user_service(),
        steps=[Step(name="lint, types and tests", command=["npm", "run", "--silent", "check"])],
    )


def _product(_workspace: Workspace) -> Suite:
    python = builds.product_development()
    ruff = python.with_name("ruff")
    return Suite(
        name="product",
        directory=_SERVICES / "product",
        steps=[
            Step(name="lint", command=[ruff, "check", "."]),
            Step(name="format", command=[ruff, "format", "--check", "."]),
            Step(name="types", command=[python, "-m", "mypy", "src", "tests"]),
            Step(name="tests", command=[python, "-m", "pytest", "--quiet"]),
        ],
    )


def _order(_workspace: Workspace) -> Suite:
    staticcheck = builds.order_tools() / "staticcheck"
    faults = ["-tags", "faults"]
    return Suite(
        name="order",
        directory=_SERVICES / "order",
        steps=[
            Step(name="format", command=["gofmt", "-l", "."], silent=True),
            Step(name="vet", command=["go", "vet", "./..."]),
            Step(name="vet with faults", command=["go", "vet", *faults, "./..."]),
            Step(name="staticcheck", command=[staticcheck, *faults, "./..."]),
            Step(name="tests", command=["go", "test", "-timeout", _GO_TIMEOUT, "./..."]),
        ],
    )


_PREPARATIONS: Mapping[str, Callable[[Workspace], Suite]] = {
    "order": _order,
    "product": _product,
    "user": _user,
}
SERVICES = tuple(_PREPARATIONS)
"""The services, the one with the longest suite first."""
