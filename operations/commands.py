"""The commands that work on a stack: options, exit codes and printed results."""

import functools
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ParamSpec

import click

from operations.clients import AWS_ERRORS, Clients
from operations.cluster.connection import Clusters
from operations.errors import OperationError
from operations.interaction import Interaction
from operations.proofs.contract import read_claims
from operations.proofs.judge import prove
from operations.proofs.report import print_proofs
from operations.pulumi_cli import PulumiCli
from operations.recovery.lock import free_the_stack, read_state
from operations.recovery.recover import Recovery, Report
from operations.recovery.recover import recover as run_recovery
from operations.removal.teardown import Outcome, Teardown, refuse_pending, show, tear_down
from operations.state import Deployment

FINDINGS = 1
"""Exit code when the command worked and found something that is not as it must be."""

FAILURE = 3
"""Exit code when the command could not do its work; 2 is click's, for wrong usage."""

_Parameters = ParamSpec("_Parameters")


@dataclass(frozen=True)
class Session:
    """What every command works with."""

    pulumi: PulumiCli
    interaction: Interaction
    region: str | None

    def clients(self, deployment: Deployment) -> Clients:
        """Return clients of the region asked for, else of the provider's, else of the environment's.

        Raises:
            OperationError: Neither names a region.
        """
        environment = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        region = self.region or deployment.provider_region() or environment
        if not region:
            raise OperationError("no region: give --region or set AWS_REGION")
        return Clients(region)


def _common(function: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
    options = (
        click.option("--stack", required=True, envvar="PULUMI_STACK", help="Stack of the Pulumi project."),
        click.option("--region", help="AWS region; that of the stack's provider when absent."),
        click.option(
            "--json", "as_json", is_flag=True, help="Print the result as JSON, and nothing else, to stdout."
        ),
    )
    wrapped = _reporting_failure(function)
    for option in reversed(options):
        wrapped = option(wrapped)
    return wrapped


def _reporting_failure(function: Callable[_Parameters, None]) -> Callable[_Parameters, None]:
    @functools.wraps(function)
    def run(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except (OperationError, *AWS_ERRORS) as error:
            Interaction(as_json=bool(kwargs.get("as_json"))).result({"error": str(error)})
            click.echo(f"error: {error}", err=True)
            sys.exit(FAILURE)

    return run


def _session(stack: str, region: str | None, *, as_json: bool, yes: bool) -> Session:
    return Session(PulumiCli(stack, Path.cwd()), Interaction(as_json=as_json, yes=yes), region)


@click.command()
@_common
@click.option("--verbose", is_flag=True, help="Print every claim with its evidence, not only what fails.")
def audit(stack: str, region: str | None, *, as_json: bool, verbose: bool) -> None:
    """Prove the claims of the stack's audit output against AWS.

    Checks the output against its schema, looks up every claim and prints a line per component; claims that
    do not hold are printed with what AWS answered. The JSON has all of them. Exit code 1: a claim does not
    hold.
    """
    session = _session(stack, region, as_json=as_json, yes=False)
    claims = read_claims(session.pulumi.output("audit"), session.pulumi.directory)
    deployment = session.pulumi.export_state()
    clusters = Clusters(deployment, session.pulumi.reveal_state)
    proofs = prove(claims, session.clients(deployment), clusters)
    print_proofs(session.interaction, proofs, verbose=verbose)
    sys.exit(0 if all(proof.passed for proof in proofs) else FINDINGS)


@click.command()
@_common
@click.option("--yes", is_flag=True, help="Do not ask; for machines.")
@click.option(
    "--break-lock", is_flag=True, help="Remove a lock held from another machine that is known to be dead."
)
def teardown(stack: str, region: str | None, *, as_json: bool, yes: bool, break_lock: bool) -> None:
    """Take a protected stack down, and prove that nothing is left.

    Shows what goes and what holds data, asks, lifts protection in AWS and in the state, destroys, and lists
    what AWS keeps by design. Anything else that is left is a failure (exit code 1). A run that was cut off
    is run again.
    """
    session = _session(stack, region, as_json=as_json, yes=yes)
    deployment = read_state(session.pulumi, session.interaction, break_lock=break_lock)
    refuse_pending(deployment)
    work = Teardown(
        pulumi=session.pulumi,
        clients=session.clients(deployment),
        interaction=session.interaction,
        clusters=Clusters(deployment, session.pulumi.reveal_state),
    )
    if deployment.cloud_resources:
        session.interaction.require_somebody()
        show(work, deployment)
        session.interaction.require_typed(f"This deletes stack {stack}.", stack)
    free_the_stack(session.pulumi, session.interaction, break_lock=break_lock)
    outcome = tear_down(work, deployment)
    _print_outcome(session.interaction, outcome)
    if outcome.failure:
        click.echo(f"error: {outcome.failure}", err=True)
        sys.exit(FAILURE)
    sys.exit(FINDINGS if outcome.leftovers else 0)


def _print_outcome(interaction: Interaction, outcome: Outcome) -> None:
    interaction.table(
        "Kept by AWS by design",
        ("What", "Id", "Until", "How to remove it"),
        [(each.what, each.id, each.until, each.remove) for each in outcome.retained],
    )
    if outcome.leftovers:
        interaction.table("Left, and it must not be", ("Id", "What"), outcome.leftovers.items())
        interaction.say("Run `operations teardown` again; `operations recover` deletes what is in no state.")
    elif not outcome.failure:
        beyond = " beyond what is listed above" if outcome.retained else ""
        done = f"{outcome.deleted} resources deleted" if outcome.deleted else "The stack was empty already"
        interaction.say(f"{done}; nothing is left{beyond}.")
    interaction.result(outcome.document())


@click.command()
@_common
@click.option("--yes", is_flag=True, help="Do not ask; orphans are deleted only with --delete-orphans.")
@click.option(
    "--delete-orphans", is_flag=True, help="Delete what carries the stack's tags and is in no state."
)
@click.option(
    "--forget", multiple=True, metavar="URN", help="Drop a pending operation that was settled by hand."
)
@click.option(
    "--break-lock", is_flag=True, help="Remove a lock held from another machine that is known to be dead."
)
def recover(
    stack: str,
    region: str | None,
    *,
    as_json: bool,
    yes: bool,
    delete_orphans: bool,
    forget: tuple[str, ...],
    break_lock: bool,
) -> None:
    """Mend state and AWS after an update that died.

    Resolves pending operations, adopts what was created without being recorded, and lists what carries the
    stack's tags and stands in no state. Run again it changes nothing. Exit code 1: something needs a person.
    """
    session = _session(stack, region, as_json=as_json, yes=yes)
    deployment = read_state(session.pulumi, session.interaction, break_lock=break_lock)
    recovery = Recovery(
        pulumi=session.pulumi,
        clients=session.clients(deployment),
        interaction=session.interaction,
        forget=frozenset(forget),
        delete_orphans=delete_orphans,
    )
    unlocked = free_the_stack(session.pulumi, session.interaction, break_lock=break_lock)
    report = run_recovery(recovery, deployment)
    _print_report(session.interaction, report, unlocked=unlocked)
    sys.exit(0 if report.is_clean else FINDINGS)


def _print_report(interaction: Interaction, report: Report, *, unlocked: bool) -> None:
    sections: tuple[tuple[str, dict[str, str]], ...] = (
        ("Adopted into the state", report.adopted),
        ("Never made, or made again by the next `up`", report.forgotten),
        ("Interrupted updates and deletions, read again", report.reread),
        ("Orphans: tagged as this stack's, in no state", report.orphans),
        ("Needs a person", report.unresolved),
    )
    for title, rows in sections:
        if rows:
            interaction.table(title, ("What", "Result"), rows.items())
    if not any(rows for _, rows in sections) and not report.deleted:
        interaction.say("State and AWS agree; there was nothing to recover.")
    document: dict[str, Any] = {**asdict(report), "unlocked": unlocked, "clean": report.is_clean}
    interaction.result(document)
