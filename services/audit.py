"""`python -m services.audit`: known vulnerabilities of everything that the services are built from.

Three tools ask three databases: pip-audit (PyPI), npm (GitHub) and govulncheck (Go). A database that cannot
be asked is not a clean result, so that fails as well, with other words.
"""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from services.local import builds

_SERVICES = Path(__file__).parent
_GOVULNCHECK = "golang.org/x/vuln/cmd/govulncheck@v1.9.0"
_SECONDS = 300
_SHOWN = 3000


@dataclass(frozen=True)
class Audit:
    """One look-up.

    Attributes:
        name: What is audited.
        command: It ends with 0 only when everything was looked up and nothing was found.
        directory: Where it runs.
        unreachable: What it prints when its database cannot be asked; any of these.
    """

    name: str
    command: Sequence[str | Path]
    directory: Path
    unreachable: Sequence[str]


def audits() -> tuple[Audit, ...]:
    """What there is to look up: what runs in production, and what tests and builds it."""
    product = _SERVICES / "product"
    pip_audit = (builds.product_development(), "-m", "pip_audit")
    # --strict: by itself pip-audit counts what it could not look up as good.
    options = ("--strict", "--disable-pip", "--no-deps", "--require-hashes", "--requirement")
    absent = ("could not be audited", "not found on PyPI", "ConnectionError", "service unavailable")
    return (
        *(
            Audit(f"product, {lock}", [*pip_audit, *options, lock], product, absent)
            for lock in ("requirements.txt", "requirements-dev.txt")
        ),
        Audit(
            "user, package-lock.json",
            ["npm", "audit", "--audit-level=low"],
            _SERVICES / "user",
            ("audit endpoint returned an error", "ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT"),
        ),
        Audit(
            "order, what its programs call",
            ["go", "run", _GOVULNCHECK, "./..."],
            _SERVICES / "order",
            ("fetching vulnerabilities", "dial tcp", "no such host"),
        ),
    )


def look_up(audit: Audit) -> str | None:
    """Run an audit.

    Args:
        audit: It.

    Returns:
        What is wrong; None where nothing is.
    """
    try:
        done = subprocess.run(
            [*map(str, audit.command)], cwd=audit.directory, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except FileNotFoundError:
        return f"{audit.command[0]} is missing: install what {audit.directory.name}/README.md names"
    except subprocess.TimeoutExpired:
        return f"no answer within {_SECONDS} s: try again where the network is better"
    said = (done.stdout + done.stderr).strip()
    if done.returncode == 0:
        return None
    if any(words in said for words in audit.unreachable):
        return f"NOT AUDITED: its database cannot be asked from here\n{said[-300:]}"
    return f"vulnerable\n{said[-_SHOWN:]}"


@click.command()
def main() -> None:
    """Look for known vulnerabilities in the services' dependencies."""
    troubles = 0
    for audit in audits():
        trouble = look_up(audit)
        click.echo(f"{audit.name}: {trouble or 'nothing known'}")
        troubles += trouble is not None
    sys.exit(1 if troubles else 0)


if __name__ == "__main__":
    main()
