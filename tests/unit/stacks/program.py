"""The real program with the real stack file, under the recording engine."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from infra.program import run
from tests.unit.computed_outputs import ACCOUNT_ID
from tests.unit.mock_engine import Deployment, deploy

ROOT = Path(__file__).resolve().parents[3]
DEPLOYER = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/deployer/session"
IDENTITY = {
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT_ID, "arn": DEPLOYER},
}


def stack_file(stack: str = "prod") -> dict[str, Any]:
    """The configuration of a stack, by full key."""
    config: dict[str, Any] = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text("utf-8"))["config"]
    return config


@cache
def production(*, preview: bool = False) -> Deployment:
    """The production program with the stack file as it is, run once: tests only read what came of it."""
    return deploy_production(preview=preview)


@cache
def staging(*, preview: bool = False) -> Deployment:
    """The staging program with the stack file as it is, run once."""
    return deploy_staging(preview=preview)


def deploy_production(
    *, program: Callable[[], object] = run, preview: bool = False, **changes: Any
) -> Deployment:
    """Run the whole production program.

    Args:
        program: What to run, if not the program's own entry.
        preview: See `deploy`.
        changes: Values to put in the stack file's place, by key without namespace.
    """
    return deploy(program, preview=preview, invokes=IDENTITY, config=configuration(stack_file(), **changes))


def deploy_staging(*, preview: bool = False, **changes: Any) -> Deployment:
    """Run the whole staging program; see `deploy_production`. No invoke is answered."""
    return deploy(run, preview=preview, config=configuration(stack_file("staging"), **changes))


def configuration(config: dict[str, Any], **changes: Any) -> dict[str, str]:
    """A stack file's configuration as the engine hands it over, with values of the project's changed."""
    config = config | {f"cloudcommerce:{key}": value for key, value in changes.items()}
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
