"""The sandbox's interactive shell."""

import os
import shlex
import sys
from pathlib import Path

from cloudcommerce_sandbox.console import out
from cloudcommerce_sandbox.engine.runner import run_in_foreground
from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.session import Session

_OURS = {"PATH", "KUBECONFIG"}
_BANNER = """\
[bold]Sandbox shell[/] for stack [bold]{stack}[/]: `pulumi` and `aws` work on {url},
`kubectl` on its clusters.
You are in a view of the checkout whose Pulumi*.yaml are the sandbox's own; every other file is the
checkout's. Try `pulumi stack output`, `aws rds describe-db-instances`, `kubectl get nodes`. Leave with
`exit`."""


def environment(session: Session) -> dict[str, str]:
    """Return the environment for commands of the user's own.

    `PULUMI_OPTION_CWD` is the engine's own way to set `--cwd` for every command: wherever the user goes,
    `pulumi` works on the view and never writes to a tracked stack file.

    Args:
        session: The sandbox.
    """
    return {**session.engine.environment, "PULUMI_OPTION_CWD": str(session.layout.project)}


def run(session: Session) -> int:
    """Run the user's shell until it is left.

    Args:
        session: The sandbox.

    Returns:
        The shell's exit code.
    """
    env = environment(session)
    command = [os.environ.get("SHELL") or "/bin/sh"]
    if sys.stdin.isatty():
        out.print(_BANNER.format(stack=session.stack, url=session.emulator.url))
        if Path(command[0]).name == "bash":
            command += ["--rcfile", str(_bash_settings(session, env))]
    return run_in_foreground(command, session.layout.project, env)


def _bash_settings(session: Session, env: dict[str, str]) -> Path:
    """Write a start-up file that has the last word: the user's own may put other commands first on PATH."""
    ours = {key: env[key] for key in env if key.startswith(("AWS_", "PULUMI_")) or key in _OURS}
    lines = ["[ -f ~/.bashrc ] && . ~/.bashrc"]
    lines += [f"export {key}={shlex.quote(value)}" for key, value in sorted(ours.items())]
    lines += ['PS1="(sandbox) $PS1"', "hash -r"]
    path = session.layout.root / "bashrc"
    write_atomically(path, "\n".join(lines) + "\n")
    return path
