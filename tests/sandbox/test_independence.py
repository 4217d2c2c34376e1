"""The program that goes to AWS is the one that the sandbox runs: nothing in it knows of a sandbox."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.sandbox.workbench import CHECKOUT

pytestmark = [pytest.mark.mission_M71]

SOURCES = sorted(
    path for folder in ("infra", "stacks", "components") for path in (CHECKOUT / folder).rglob("*.py")
)
SANDBOX_WORDS = re.compile(
    r"sandbox|localhost|127\.0\.0\.1|\bmoto\b|emulator|AWS_ENDPOINT|endpoint_url|123456789012|"
    r"skip_credentials_validation|skip_requesting_account_id|skip_metadata_api_check|s3_use_path_style",
    re.IGNORECASE,
)


def _words(tree: ast.AST) -> Iterator[str]:
    """Names, texts and imports of a program, without its comments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword):
            yield node.arg or ""
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.name for alias in node.names)
            yield getattr(node, "module", None) or ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_no_line_of_the_program_knows_of_the_sandbox(path: Path) -> None:
    found = [word for word in _words(ast.parse(path.read_text())) if SANDBOX_WORDS.search(word)]

    assert found == []


def test_the_program_reads_no_environment() -> None:
    """What decides between AWS and the sandbox is the environment of the engine and of the plugins alone."""
    readers = {
        str(path.relative_to(CHECKOUT))
        for path in SOURCES
        if {"environ", "getenv", "environb"} & set(_words(ast.parse(path.read_text())))
        and "rotation_function" not in path.parts  # this runs in Lambda, not in the program
    }

    assert readers == set()


def test_the_stack_file_has_no_endpoints_and_no_backend() -> None:
    project = yaml.safe_load((CHECKOUT / "Pulumi.yaml").read_text())
    stack = yaml.safe_load((CHECKOUT / "Pulumi.prod.yaml").read_text())

    assert "backend" not in project
    assert set(stack) == {"config"}
    assert not [key for key in stack["config"] if key.startswith("aws:")]
    assert not SANDBOX_WORDS.search(str(stack) + str(project))
