"""Running suites, some at a time, so that nothing of them outlives us."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from cloudcommerce_sandbox.console import Steps

from services.stores.process import Supervised
from services.testing.suites import Step, Suite


@dataclass(frozen=True)
class Failure:
    """A step that did not go well.

    Attributes:
        title: Suite and step.
        code: Its exit code.
        log: All that it printed.
    """

    title: str
    code: int
    log: Path


class Runner:
    """Runs suites.

    Args:
        logs: The folder where each step's output goes.
        steps: Shows what runs.
    """

    def __init__(self, logs: Path, steps: Steps) -> None:
        self._logs = logs
        self._steps = steps
        self._running: set[Supervised] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self, suites: Sequence[Suite], environments: Mapping[str, Mapping[str, str]], jobs: int
    ) -> list[Failure]:
        """Run every step of every suite, and return those that failed.

        Args:
            suites: What to run; those that take longest come first.
            environments: More variables for a suite, by its name.
            jobs: How many suites run at a time.
        """
        with ThreadPoolExecutor(jobs) as pool:
            try:
                found = pool.map(lambda suite: self._suite(suite, environments[suite.name]), suites)
                return [failure for failures in found for failure in failures]
            except BaseException:
                self._stop()
                raise

    def _suite(self, suite: Suite, environment: Mapping[str, str]) -> list[Failure]:
        return [failure for step in suite.steps if (failure := self._step(suite, step, environment))]

    def _step(self, suite: Suite, step: Step, environment: Mapping[str, str]) -> Failure | None:
        title = f"{suite.name}: {step.name}"
        log = self._logs / f"{title.replace(': ', '-').replace(' ', '-').replace(',', '')}.log"
        with self._lock:
            if self._stopped:
                return None
            process = Supervised(
                title, step.command, log, environment={**suite.environment, **environment},
                directory=suite.directory, stop_signal="SIGKILL",
            )  # fmt: skip
            self._running.add(process)
        with self._steps.step(title) as shown:
            code = process.wait()
            with self._lock:
                self._running.remove(process)
            process.stop()
            if code == 0 and not (step.silent and log.stat().st_size):
                return None
            shown.fail()
        return Failure(title, code, log)

    def _stop(self) -> None:
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.stop()
