"""The audit output as its readers see it: checked against its JSON Schema, then read with own types.

Nothing of the program is imported. Its schema is the contract; a shared model would let one mistake stand
on both sides of the proof.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
from referencing.exceptions import Unresolvable

from operations.errors import OperationError

SCHEMA = Path("infra", "audit", "schema.json")
_SECTIONS = ("encryption", "exposure", "backups", "availability", "versions", "logging")
_SHOWN = 5
_RESTORE = "restore it from version control"


@dataclass(frozen=True)
class Claim:
    """One claim.

    Attributes:
        component: Component that makes it.
        fact: What is claimed.
        subject: Under what AWS is asked.
        value: What is claimed.
        comparison: How the value is held against the operand.
        operand: What is required.
        controls: What it is evidence for.
    """

    component: str
    fact: str
    subject: str
    value: Any
    comparison: str
    operand: Any
    controls: tuple[str, ...]


def read_claims(document: Any, directory: Path) -> tuple[Claim, ...]:
    """Check an audit output and return its claims.

    Args:
        document: The stack's `audit` output.
        directory: The project, in which the schema is committed.

    Raises:
        OperationError: There is no schema, the document breaks it, or it claims nothing.
    """
    _check(document, directory / SCHEMA)
    try:
        claims = tuple(_claims(document))
    except (AttributeError, KeyError, TypeError) as error:
        raise OperationError(
            f"the audit output passes {SCHEMA} and still is not what it must be ({error!r}); {_RESTORE}"
        ) from error
    if not claims:
        raise OperationError("the audit output claims nothing; run `pulumi up`, then again")
    return claims


def _check(document: Any, path: Path) -> None:
    if not path.is_file():
        raise OperationError(f"{path} does not exist; run `operations` in the folder of the Pulumi project")
    try:
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        checks_nothing = validator.is_valid(None)
        errors = sorted(validator.iter_errors(document), key=lambda each: each.json_path)
    except (ValueError, jsonschema.SchemaError, Unresolvable) as error:
        reason = str(error).splitlines()[0]
        raise OperationError(f"{path} is not a JSON Schema ({reason}); {_RESTORE}") from error
    if checks_nothing:
        raise OperationError(f"{path} admits anything, so it proves nothing; {_RESTORE}")
    if errors:
        shown = "; ".join(f"{each.json_path}: {each.message[:200]}" for each in errors[:_SHOWN])
        raise OperationError(
            f"the audit output breaks {SCHEMA} in {len(errors)} place(s): {shown}. "
            "Was it written by another version of the program? Run `pulumi up`"
        )


def _claims(document: Mapping[str, Any]) -> Iterator[Claim]:
    for component in document["components"]:
        for section in _SECTIONS:
            for claim in component.get(section, ()):
                requirement = claim["requirement"]
                yield Claim(
                    component=component["name"],
                    fact=claim["fact"],
                    subject=claim["subject"],
                    value=claim["value"],
                    comparison=requirement["comparison"],
                    operand=requirement.get("operand"),
                    controls=tuple(claim["controls"]),
                )
