"""What is measured: programs in turns (A B A B …), so that a slow minute of the machine strikes all alike."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.flat import flatten
from benchmarks.memory import PeakMemory, proportional_mib
from benchmarks.recording_plugin import VARIABLE
from benchmarks.sandbox import CHECKOUT, Benches, BenchmarkError, Subject

COPIES = 4


@dataclass
class Series:
    """Seconds of the same thing, run after run."""

    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.seconds)

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "median": self.median,
            "min": min(self.seconds),
            "max": max(self.seconds),
            "runs": self.seconds,
        }


@dataclass
class Results:
    """Everything that a run of the benchmark finds out.

    Attributes:
        resources: How many resources the production program registers with AWS.
        calls: AWS calls that bring them up.
        refused: Calls of the replay that AWS refused; 0 when the replay is faithful.
        series: Times by what was run.
        memory: MiB by process.
    """

    resources: int = 0
    calls: int = 0
    refused: int = 0
    series: dict[str, Series] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)

    def add(self, name: str, seconds: float) -> None:
        """Add a time."""
        self.series.setdefault(name, Series()).seconds.append(seconds)

    def of(self, name: str) -> float:
        """Return a median."""
        return self.series[name].median


def measure(folder: Path, runs: int, say: Callable[[str], None], *, large: bool) -> Results:
    """Run the whole benchmark.

    Args:
        folder: An empty folder for its sandboxes.
        runs: How often each thing is measured.
        say: Told what happens.
        large: Whether to measure at four times the size too.

    Raises:
        BenchmarkError: A run failed.
    """
    benches, results = Benches(folder), Results()
    try:
        say("record the AWS calls of the production stack")
        product = benches.product("product")
        calls = _record(product, folder, results)
        records = product.records()
        recordings = {"boto3": calls}
        subjects = _subjects(benches, records, copies=1)
        if large:
            subjects |= _subjects(benches, records, copies=COPIES)
            flat = subjects[f"flat x{COPIES}"]
            say(f"record the AWS calls of {COPIES} times the stack")
            recordings[f"boto3 x{COPIES}"] = _recorded(flat, folder / f"calls{COPIES}")
        for number in range(runs):
            for name, subject in {"product": product, **subjects}.items():
                say(f"run {number + 1} of {runs}: {name}")
                subject.start_over()
                results.add(f"preview {name}", subject.preview())
                results.add(f"up {name}", subject.up())
            for name, file in recordings.items():
                say(f"run {number + 1} of {runs}: {name}")
                results.add(name, _replay(product, file, results))
    finally:
        benches.close()
    return results


def _subjects(benches: Benches, records: list[dict[str, Any]], copies: int) -> dict[str, Subject]:
    document, suffix = flatten(records, copies), "" if copies == 1 else f" x{copies}"
    flat, floor = (benches.flat(f"{name}{copies}", document) for name in ("flat", "floor"))
    floor.answer_at_once()
    return {f"flat{suffix}": flat, f"floor{suffix}": floor}


def _record(product: Subject, folder: Path, results: Results) -> Path:
    emulator = product.session.emulator
    results.memory["emulator, empty"] = proportional_mib(emulator.pid)
    with PeakMemory(os.getpid()) as peak:
        file = _recorded(product, folder / "calls")
    results.memory["emulator, holding production"] = proportional_mib(emulator.pid)
    results.memory["engine, plugins and program, at most"] = peak.mib
    results.resources = len(flatten(product.records())["resources"])
    results.calls = emulator.get("calls")["total"]
    return file


def _recorded(subject: Subject, file: Path) -> Path:
    subject.start_over()
    subject.use_plugin("aws", "benchmarks.recording_plugin")
    subject.variables[VARIABLE] = str(file)
    subject.up()
    subject.use_plugin("aws", "cloudcommerce_sandbox.plugins.aws")
    return file


def _replay(subject: Subject, file: Path, results: Results) -> float:
    subject.start_over()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.replay", str(file)],
        cwd=CHECKOUT,
        env=subject.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise BenchmarkError(f"the replay failed: {done.stderr[-2000:]}")
    seconds, refused = done.stdout.split()
    results.refused = max(results.refused, int(refused))
    return float(seconds)
