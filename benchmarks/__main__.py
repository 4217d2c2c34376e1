"""`python -m benchmarks [--json] [--quick]`: prints a table, writes nothing."""

import json
import os
import platform
import signal
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from benchmarks.goals import goals
from benchmarks.suite import Results, measure

_errors = Console(stderr=True, highlight=False)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--quick", is_flag=True, help="Measure once, and not at four times the size.")
@click.option("--runs", default=3, show_default=True, type=click.IntRange(min=1), help="How often.")
def main(*, as_json: bool, quick: bool, runs: int) -> None:
    """Measure the program against a flat one, the plugin against boto3, growth and memory."""
    # By an exception, so that the emulator is ended and the folder removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="cloudcommerce-bench-") as folder:
        results = measure(Path(folder), 1 if quick else runs, _progress, large=not quick)
    if as_json:
        click.echo(json.dumps(_document(results), indent=2, ensure_ascii=False))
        return
    _print(results)


def _progress(text: str) -> None:
    _errors.print(f"… {text}")


def _document(results: Results) -> dict[str, object]:
    return {
        "machine": {"processors": os.cpu_count(), "python": platform.python_version()},
        "resources": results.resources,
        "calls": results.calls,
        "refused": results.refused,
        "seconds": {name: series.document() for name, series in results.series.items()},
        "memory_mib": results.memory,
        "goals": [goal.document() for goal in goals(results)],
    }


def _print(results: Results) -> None:
    console = Console(highlight=False)
    console.print(
        f"Production: {results.resources} resources, {results.calls} AWS calls; {os.cpu_count()} processors"
    )
    times = Table("", "median s", "min-max s", title="Times", title_justify="left")
    for name, series in results.series.items():
        times.add_row(name, f"{series.median:.2f}", f"{min(series.seconds):.2f}-{max(series.seconds):.2f}")
    console.print(times)
    judged = Table("", "measured", "goal", "", title="Goals", title_justify="left")
    for goal in goals(results):
        judged.add_row(
            goal.what, f"{goal.measured:.2f}x", f"≤ {goal.limit:.1f}x", "met" if goal.met else "missed"
        )
    console.print(judged)
    memory = Table("", "MiB", title="Memory (proportional set size)", title_justify="left")
    for name, mib in results.memory.items():
        memory.add_row(name, f"{mib:.0f}")
    console.print(memory)
    if results.refused:
        console.print(f"The replay had {results.refused} calls refused: its time is too short.")


main()
