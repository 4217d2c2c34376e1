"""`python -m services.testing [SERVICE ...]`: run the services' own suites on stores of their own."""

import contextlib
import signal
import sys
from collections.abc import Sequence

import click
from cloudcommerce_sandbox.console import Steps, err

from services.local.errors import ShopError
from services.stores import together
from services.testing import suites, workspace
from services.testing.running import Failure, Runner

_LINES_SHOWN = 400


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("services", nargs=-1, type=click.Choice(suites.SERVICES))
@click.option(
    "--jobs", default=2, show_default=True, type=click.IntRange(min=1), help="Suites that run at a time."
)
@click.option("--prepare", is_flag=True, help="Build and fetch what the suites need, and run nothing.")
def main(services: Sequence[str], *, jobs: int, prepare: bool) -> None:
    """Run the suites of these services, or of all; CLOUDCOMMERCE_TEST_FULL=1 at their full counts."""
    # By an exception, so that all that was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    chosen = [service for service in suites.SERVICES if service in services or not services]
    with Steps() as steps, workspace.opened() as folder:
        prepared = []
        for service in chosen:
            with steps.step(f"{service}: dependencies"):
                prepared.append(suites.prepare(service, folder))
        if prepare:
            return
        failures = _run(prepared, folder, steps, jobs)
    _report(failures)
    if failures:
        sys.exit(1)


def _run(
    chosen: Sequence[suites.Suite], folder: workspace.Workspace, steps: Steps, jobs: int
) -> Sequence[Failure]:
    kinds = {kind for suite in chosen for kind in suites.STORES[suite.name].values()}
    with contextlib.ExitStack() as stack:
        with steps.step("stores") as shown:
            urls = stack.enter_context(together.running(kinds))
            shown.finish(", ".join(urls))
        common = {"TMPDIR": str(folder.temporary)}
        environments = {suite.name: common | suites.store_variables(suite.name, urls) for suite in chosen}
        return Runner(folder.logs, steps).run(chosen, environments, jobs)


def _report(failures: Sequence[Failure]) -> None:
    for failure in failures:
        lines = failure.log.read_text(errors="replace").splitlines()
        err.rule(failure.title, align="left")
        if len(lines) > _LINES_SHOWN:
            err.print(f"[dim]The first {len(lines) - _LINES_SHOWN} lines are in {failure.log}[/]")
        # As it came: brackets in it are no markup.
        err.out("\n".join(lines[-_LINES_SHOWN:]), highlight=False)
    for failure in failures:
        err.print(f"[red]failed[/] {failure.title} (exit code {failure.code}): {failure.log}")


if __name__ == "__main__":
    try:
        main()
    except ShopError as error:
        err.print(f"Error: {error}", markup=False)
        sys.exit(1)
