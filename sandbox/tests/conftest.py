"""Fixtures that several parts of the sandbox's tests share."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cloudcommerce_sandbox.console import Steps
from cloudcommerce_sandbox.supervisor import stop_emulator
from cloudcommerce_sandbox.tools.catalogue import PULUMI
from cloudcommerce_sandbox.tools.resolve import ensure_tools
from cloudcommerce_sandbox.tools.store import ToolStore
from cloudcommerce_sandbox.workspace.layout import Layout

from sandbox.tests.projects import COMPONENTS, Project, link_or_copy

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def pulumi() -> Path:
    """The checkout's own engine; built when it is not there yet."""
    layout = Layout(CHECKOUT)
    with Steps() as steps:
        return ensure_tools(ToolStore(layout.tools), layout.logs, steps, [PULUMI])["pulumi"]


@pytest.fixture
def project(tmp_path: Path, pulumi: Path) -> Iterator[Project]:
    """A project that registers two components, in a checkout that ends with the test."""
    checkout = tmp_path / "checkout"
    (checkout / "infra").mkdir(parents=True)
    (checkout / ".venv").symlink_to(Path(sys.prefix))
    (checkout / "Pulumi.yaml").write_text("name: fixture\nmain: infra/\nruntime: python\n")
    (checkout / "Pulumi.prod.yaml").write_text("config:\n  fixture:greeting: hello\n")
    made = Project(Layout(checkout))
    made.write_program(COMPONENTS)
    made.layout.tools.mkdir(parents=True)
    if pulumi.parent == Layout(CHECKOUT).tools:
        for name in ("pulumi", ".pulumi.json"):
            link_or_copy(pulumi.with_name(name), made.layout.tools / name)
    yield made
    stop_emulator(made.layout)
