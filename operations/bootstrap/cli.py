"""The command line of the bootstrap."""

import importlib
from collections.abc import Callable
from typing import Any, TextIO

import click
from rich.console import Console

from operations.bootstrap.errors import PlanError, StoreError
from operations.bootstrap.plan import Plan
from operations.bootstrap.plan_file import parse_plan
from operations.bootstrap.report import Problem, Report

_PATIENCE = 120.0


@click.group(invoke_without_command=True)
@click.option(
    "--plan", "plan_file", type=click.File(encoding="utf-8"), required=True,
    help="The plan, JSON or YAML; - reads standard input.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Tell what would change and change nothing.")
@click.option("--json", "as_json", is_flag=True, help="Report as JSON on standard output.")
@click.option(
    "--patience", type=click.FloatRange(min=0, max=3600), default=_PATIENCE, show_default=True,
    help="Seconds to wait for a store that does not answer.",
)  # fmt: skip
@click.pass_context
def bootstrap(
    context: click.Context, plan_file: TextIO, dry_run: bool, as_json: bool, patience: float
) -> None:
    """Give every service its own database, users and vhosts.

    Brings PostgreSQL, DocumentDB and RabbitMQ to what the plan says, and takes away what it does not say.
    Run again it changes nothing. Passwords come from Secrets Manager by ARN; nothing secret is on the
    command line or in the report.

    Exits with 0 when the stores are as planned, 1 when a problem is left (named with its remedy), 2 when
    the plan or the command line is wrong.
    """
    try:
        plan = parse_plan(plan_file.read())
    except PlanError as error:
        raise click.UsageError(str(error)) from error
    context.obj = (plan, patience, as_json)
    if context.invoked_subcommand is None:
        _report(lambda: _module("run").converge(plan, dry_run=dry_run, patience=patience), as_json=as_json)
    elif dry_run:
        raise click.UsageError(f"{context.invoked_subcommand} has no dry run")


@bootstrap.command()
@click.argument("secret")
@click.pass_obj
def rotate(settings: tuple[Plan, float, bool], secret: str) -> None:
    """Replace the password of the service user whose SECRET (an ARN) is in the plan.

    New secret version, store, trial login, promotion. After a crash at any step, run it again: it goes on
    from there.
    """
    plan, patience, as_json = settings
    run, rotation = _module("run"), _module("rotation")
    stores = run.Stores(plan, run.SecretReader(), patience)
    _report(lambda: rotation.rotate(stores, secret), as_json=as_json)


def _module(name: str) -> Any:
    """The stores' drivers come with an extra of their own, and `--help` needs none."""
    try:
        return importlib.import_module(f"operations.bootstrap.{name}")
    except ModuleNotFoundError as error:
        raise click.ClickException(f"{error}; install cloudcommerce[bootstrap]") from error


def _report(action: Callable[[], Report], *, as_json: bool) -> None:
    try:
        report = action()
    except StoreError as error:
        report = Report(problems=[Problem.of(error)])
    except PlanError as error:
        raise click.UsageError(str(error)) from error
    if as_json:
        click.echo(report.to_json())
    else:
        report.print_to(Console())
    click.get_current_context().exit(report.exit_code)
