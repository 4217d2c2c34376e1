"""A sandbox of the benchmark's own, beside the checkout's, where a stack comes up from nothing each time."""

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cloudcommerce_sandbox.console import Steps
from cloudcommerce_sandbox.session import Session, opened
from cloudcommerce_sandbox.supervisor import stop_emulator
from cloudcommerce_sandbox.workspace.home import our_plugins, write_launcher
from cloudcommerce_sandbox.workspace.layout import CHECKOUT_VARIABLE, Layout

from benchmarks.noop_plugin import VARIABLE

CHECKOUT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(__file__).parent / "programs"
STACK = "prod"


class BenchmarkError(Exception):
    """A run failed, so that its time means nothing."""


@dataclass(frozen=True)
class Subject:
    """A program in a checkout of its own.

    Attributes:
        layout: Its sandbox.
        variables: Further variables of the environment.
    """

    layout: Layout
    variables: dict[str, str]

    @cached_property
    def session(self) -> Session:
        """The sandbox, opened once."""
        with Steps() as steps, opened(self.layout, STACK, steps, exclusively=False) as session:
            return session

    def environment(self) -> dict[str, str]:
        """Return the environment that the engine runs in."""
        return {**self.session.engine.environment, **self.variables, "PWD": str(self.layout.project)}

    def start_over(self) -> None:
        """Empty AWS and the state."""
        self._empty_aws()
        shutil.rmtree(self.layout.state / ".pulumi", ignore_errors=True)
        self.run("stack", "init", STACK)

    def _empty_aws(self) -> None:
        emulator = http.client.HTTPConnection(urlsplit(self.session.emulator.url).netloc, timeout=30)
        emulator.request("POST", "/moto-api/reset")
        emulator.getresponse().read()
        emulator.request("DELETE", "/sandbox-api/calls")
        emulator.getresponse().read()
        emulator.close()

    def preview(self) -> float:
        """Return the seconds that a preview takes."""
        return self.run("preview", "--stack", STACK)

    def up(self) -> float:
        """Return the seconds that `up` takes."""
        return self.run("up", "--yes", "--skip-preview", "--stack", STACK)

    def run(self, *arguments: str) -> float:
        """Run the engine and return its seconds.

        Raises:
            BenchmarkError: It failed.
        """
        begun = time.perf_counter()
        done = subprocess.run(
            [str(self.session.engine.executable), *arguments, "--non-interactive"],
            cwd=self.layout.project,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        seconds = time.perf_counter() - begun
        if done.returncode != 0:
            raise BenchmarkError(
                f"{self.layout.checkout.name}: {arguments[0]}: {done.stdout[-3000:]}{done.stderr[-1500:]}"
            )
        return seconds

    def records(self) -> list[dict[str, Any]]:
        """Return the stack's resources, secrets in plain text."""
        done = self.session.engine.capture("stack", "export", "--show-secrets", "--stack", STACK)
        found: list[dict[str, Any]] = json.loads(done.stdout)["deployment"]["resources"]
        return found

    def use_plugin(self, name: str, command: str) -> None:
        """Have the engine start a module, given with its arguments, as one of the installed plugins."""
        home = self.layout.home(self.session.plugins)
        plugin = next(plugin for plugin in our_plugins() if plugin.name == name)
        write_launcher(home / "plugins" / plugin.directory_name / plugin.executable_name, command)

    def answer_at_once(self) -> None:
        """Replace every plugin by one that does nothing."""
        for plugin in our_plugins():
            self.use_plugin(plugin.name, f"benchmarks.noop_plugin {plugin.name} {plugin.version}")


class Benches:
    """Makes subjects, each with an emulator of its own.

    Args:
        folder: An empty folder for all of them.
    """

    def __init__(self, folder: Path) -> None:
        # `make bench` runs in the environment of the checkout's own sandbox.
        os.environ.pop(CHECKOUT_VARIABLE, None)
        self._folder = folder
        self._subjects: list[Subject] = []

    def close(self) -> None:
        """End the emulators."""
        for subject in self._subjects:
            stop_emulator(subject.layout)

    def product(self, name: str) -> Subject:
        """Return the production program, as it is in the checkout, up to the cluster."""
        subject = self._subject(name, "product")
        shutil.copy2(CHECKOUT / f"Pulumi.{STACK}.yaml", subject.layout.checkout)
        return subject

    def flat(self, name: str, document: Mapping[str, Any]) -> Subject:
        """Return the flat program with its data."""
        subject = self._subject(name, "flat")
        resources = subject.layout.checkout / "program" / "resources.json"
        resources.write_text(json.dumps(document))
        subject.variables[VARIABLE] = str(resources)
        (subject.layout.checkout / f"Pulumi.{STACK}.yaml").write_text("config: {}\n")
        return subject

    def _subject(self, name: str, program: str) -> Subject:
        checkout = self._folder / name
        folder = checkout / "program"
        folder.mkdir(parents=True)
        (checkout / ".venv").symlink_to(sys.prefix)
        shutil.copy2(PROGRAMS / f"{program}.py", folder / "__main__.py")
        (checkout / "Pulumi.yaml").write_text("name: cloudcommerce\nmain: program/\nruntime: python\n")
        layout = Layout(checkout)
        # Not a symbolic link: the engine looks for the language host beside the file that it really is.
        shutil.copytree(Layout(CHECKOUT).tools, layout.tools, copy_function=_link)
        subject = Subject(layout, {"PYTHONPATH": str(CHECKOUT)})
        self._subjects.append(subject)
        return subject


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # the temporary folder lies on another disk
        shutil.copy2(source, target)
