"""The commands; each is a few calls into the rest of the package."""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from cloudcommerce_sandbox import clusters, summary, supervisor
from cloudcommerce_sandbox.charts.definitions import fetch as fetch_definitions
from cloudcommerce_sandbox.cli import doctor as checks
from cloudcommerce_sandbox.cli import shell as interactive
from cloudcommerce_sandbox.cli.charts import charts
from cloudcommerce_sandbox.cli.cleaning import forget
from cloudcommerce_sandbox.cli.group import Group
from cloudcommerce_sandbox.console import Steps, err, out
from cloudcommerce_sandbox.engine import state as states
from cloudcommerce_sandbox.engine.runner import run_in_foreground
from cloudcommerce_sandbox.engine.transcript import readable
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.locking import exclusive
from cloudcommerce_sandbox.session import DEFAULT_STACK, needed_tools, opened, project_name, teardown_command
from cloudcommerce_sandbox.tools.catalogue import SHOP
from cloudcommerce_sandbox.tools.resolve import ensure_tools
from cloudcommerce_sandbox.tools.store import ToolStore
from cloudcommerce_sandbox.workspace.layout import Layout

_INTERRUPTED = 130

stack_option = click.option(
    "--stack", default=DEFAULT_STACK, show_default=True, envvar="STACK", help="The stack to work on."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class _Commands(Group):
    """Turns what the user can mend into one message and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except SandboxError as error:
            told = error
        except OSError as error:
            # One without a number is a library's own, and click ends quietly when nobody reads its output.
            if error.errno is None or isinstance(error, BrokenPipeError):
                raise
            told = SandboxError.of_system(error)
        _explain(told)
        return ctx.exit(1)


def _explain(error: SandboxError) -> None:
    out.print(f"\n[red]error:[/] {escape(error.message)}", soft_wrap=True)
    if error.remedy:
        out.print(f"  → {escape(error.remedy)}", soft_wrap=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="cloudcommerce-sandbox")
def main() -> None:
    """Run a Pulumi AWS project with the real engine on this machine: no account, no Docker."""
    # Go, npm and Pulumi refuse to work without a home, and cron, systemd and containers start without one.
    home = Path("~").expanduser()
    os.environ.setdefault("HOME", str(home) if home.is_absolute() else tempfile.gettempdir())


main.add_command(charts)


@main.command()
@stack_option
def up(stack: str) -> None:
    """Apply the stack to the sandbox."""
    layout = Layout.find()
    with Steps() as steps, opened(layout, stack, steps) as session:
        summary.refuse_unfinished_creations(stack, session.state())
        outcome = session.engine.stream(
            steps, f"pulumi up --stack {stack}", "up", "--skip-preview", "--stack", stack
        )
    if outcome.exit_code == 0:
        summary.show(session, outcome)
        return
    summary.show_failures(session, outcome)
    sys.exit(_INTERRUPTED if outcome.interrupted else 1)


@main.command()
@stack_option
@click.option("--diff", is_flag=True, help="Show each changed property.")
def preview(stack: str, diff: bool) -> None:
    """Show what `up` would change, with the engine's own display."""
    with Steps() as steps, opened(Layout.find(), stack, steps) as session:
        pass
    sys.exit(session.engine.passthrough(["preview", "--stack", stack, *(["--diff"] if diff else [])]))


@main.command()
@stack_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def down(stack: str, yes: bool) -> None:
    """Take the stack down with `operations teardown`, as on AWS."""
    layout = Layout.find()
    if not states.stack_path(layout, project_name(layout), stack).is_file():
        out.print(f"Nothing stands: there is no stack {stack} in the sandbox.")
        return
    if not yes:
        _require_terminal(f"Taking {stack} down asks for its name", "down")
    with Steps() as steps, opened(layout, stack, steps) as session:
        pass
    command = teardown_command(session, yes=yes)
    sys.exit(run_in_foreground(command, session.layout.project, session.engine.environment))


@main.command()
@stack_option
def shell(stack: str) -> None:
    """Open a shell in which every `pulumi`, `aws` and `kubectl` command works on the sandbox."""
    with Steps() as steps, opened(Layout.find(), stack, steps, exclusively=False) as session:
        pass
    sys.exit(interactive.run(session))


@main.command(name="exec", context_settings={"ignore_unknown_options": True})
@stack_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def execute(stack: str, command: tuple[str, ...]) -> None:
    """Run COMMAND in the checkout with the sandbox's environment; standard output is the command's alone."""
    with Steps(err) as steps, opened(Layout.find(), stack, steps, exclusively=False) as session:
        pass
    environment = interactive.environment(session)
    sys.exit(run_in_foreground(command, session.layout.checkout, environment))


@main.command()
@stack_option
@json_option
def status(stack: str, as_json: bool) -> None:
    """Show what runs and what stands, and change nothing."""
    layout = Layout.find()
    emulator = supervisor.running_emulator(layout, err.print)
    project = project_name(layout)
    state = states.read_state(layout, project, stack)
    if state is None and (path := states.stack_path(layout, project, stack)).exists():
        raise SandboxError(f"The state of {stack} can't be read: {path}.", "`make reset` forgets it.")
    document = {
        "emulator": None if emulator is None else {"url": emulator.url, "pid": emulator.pid},
        "clusters": [summary.cluster_row(cluster) for cluster in clusters.running_clusters(layout)],
        "stack": stack,
        "deployed": state is not None and bool(state.custom()),
        "pending_operations": len(state.pending) if state else 0,
        "parts": list(summary.rows(state)) if state else [],
    }
    if as_json:
        click.echo(json.dumps(document, indent=2))
        return
    out.print(f"emulator  {emulator.url + f' (process {emulator.pid})' if emulator else 'not running'}")
    for cluster in clusters.running_clusters(layout):
        out.print(f"cluster   {escape(summary.cluster_line(cluster))}")
    out.print(f"stack     {stack}: {len(state.custom()) if state else 0} resources")
    if state and state.custom():
        out.print(summary.table(state))


@main.command()
@click.option(
    "--group",
    type=click.Choice(["stack", "shop"]),
    default="stack",
    show_default=True,
    help="What stacks need, or what runs the shop's services; of the latter, their folder is printed.",
)
def tools(group: str) -> None:
    """Build the tools that are neither on PATH nor built yet."""
    layout = Layout.find()
    with Steps() as steps:
        if group == "shop":
            ensure_tools(ToolStore(layout.tools), layout.logs, steps, SHOP)
            out.print(layout.tools, soft_wrap=True)
            return
        ensure_tools(ToolStore(layout.tools), layout.logs, steps, needed_tools(layout))
        with steps.step("fetch the definitions that recorded charts bring"):
            fetch_definitions()


@main.command()
def start() -> None:
    """Start the AWS emulator, and what makes its Kubernetes clusters real."""
    layout = Layout.find()
    has_clusters = clusters.are_needed(layout)
    if has_clusters:
        with Steps() as steps:
            ensure_tools(ToolStore(layout.tools), layout.logs, steps, needed_tools(layout))
    emulator, started = supervisor.ensure_emulator(layout, err.print, is_followed=has_clusters)
    if has_clusters:
        clusters.ensure_follower(layout, emulator)
    out.print(f"{'Started' if started else 'Already running'}: {emulator.url} (process {emulator.pid})")


@main.command()
def stop() -> None:
    """Stop the AWS emulator and its Kubernetes clusters; all that they hold is gone."""
    layout = Layout.find()
    with exclusive(layout.lock("engine")):
        clusters.stop_clusters(layout)
        out.print("Stopped." if supervisor.stop_emulator(layout) else "It was not running.")


@main.command()
@json_option
def doctor(as_json: bool) -> None:
    """Check this machine and the sandbox, and say how to mend what is wrong."""
    findings = checks.examine(Layout.find())
    if as_json:
        click.echo(json.dumps([finding.document() for finding in findings], indent=2))
    else:
        for finding in findings:
            finding.show()
    sys.exit(0 if all(finding.well for finding in findings) else 1)


@main.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(yes: bool) -> None:
    """Stop the emulator and forget state, logs and local settings. Built tools stay."""
    layout = Layout.find()
    if not yes:
        _require_terminal("Forgetting all sandbox state asks first", "reset")
        click.confirm(f"Forget all sandbox state in {layout.root}?", abort=True)
    forget(layout)
    out.print("The next `make up` starts from nothing.")


def _require_terminal(question: str, command: str) -> None:
    if not sys.stdin.isatty():
        raise SandboxError(
            f"{question}, and nobody is at the terminal to answer.",
            f"`make {command} YES=1` (or `cloudcommerce-sandbox {command} --yes`) does not ask.",
        )


@main.command()
@click.option("-n", "--lines", default=40, show_default=True, help="How many lines from each log's end.")
@click.option("--raw", is_flag=True, help="Print the engine's events as the JSON they are.")
def logs(lines: int, raw: bool) -> None:
    """Print the end of the emulator's log, of what follows its EKS, and of the latest engine run."""
    layout = Layout.find()
    latest = sorted(layout.logs.glob("engine-*.log"))[-1:]
    services = [layout.logs / "emulator.log", layout.logs / "kubernetes.log"]
    written = [path for path in [*services, *latest] if path.is_file()]
    if not written:
        click.echo(f"No logs yet in {layout.logs}: they begin with the first `make up`.")
    for path in written:
        click.echo(f"== {path}")
        found = path.read_text(errors="replace").splitlines()
        said = found if raw else [text for line in found if (text := readable(line)) is not None]
        click.echo("\n".join(said[-lines:]))
