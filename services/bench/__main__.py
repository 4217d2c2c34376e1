"""`python -m services.bench [PART ...] [--json]`: prints figures, writes nothing."""

import dataclasses
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
from cloudcommerce_sandbox.console import Steps, err, out
from rich.table import Table

from services.bench import comparisons, processes
from services.bench.processes import Footprint
from services.local.errors import ShopError
from services.testing import workspace

_PARTS = (*comparisons.BENCHMARKS, "processes")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("parts", nargs=-1, type=click.Choice(_PARTS))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of tables.")
def main(parts: Sequence[str], *, as_json: bool) -> None:
    """Measure these parts, or all: each service beside its floors, and all processes' memory and start-up."""
    # By an exception, so that all that was started is stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    document: dict[str, Any] = {"machine": {"processors": os.cpu_count(), "load_average": os.getloadavg()}}
    with Steps(err) as steps, workspace.opened() as folder:
        for part in parts or _PARTS:
            with steps.step(part) as step:
                if part == "processes":
                    footprints = processes.measure(step.update)
                    document[part] = {name: dataclasses.asdict(one) for name, one in footprints.items()}
                    shown = _table(footprints)
                else:
                    document[part] = shown = comparisons.measure(part, folder, as_json=as_json)
            if not as_json:
                out.print(shown, markup=False)
    if as_json:
        click.echo(json.dumps(document, indent=2))


def _table(footprints: Mapping[str, Footprint]) -> Table:
    table = Table("", "start-up s", "min-max s", "idle MiB", "under load MiB")
    for name, one in footprints.items():
        times = one.start_up_seconds
        table.add_row(
            name, f"{one.start_up:.2f}", f"{min(times):.2f}-{max(times):.2f}",
            f"{one.idle_mib:.0f}", f"{one.loaded_mib:.0f}",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    try:
        main()
    except ShopError as error:
        err.print(f"Error: {error}", markup=False)
        sys.exit(1)
