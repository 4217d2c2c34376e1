"""A Pulumi project in a checkout of its own, and its command line."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cloudcommerce_sandbox.workspace.layout import Layout

COMPONENTS = """
import pulumi

class Part(pulumi.ComponentResource):
    def __init__(self, name, opts=None):
        super().__init__("fixture:index:Part", name, None, opts)
        self.register_outputs({})

Part("one")
Part("two")
"""


@dataclass(frozen=True)
class Project:
    """A checkout with a Pulumi project in it."""

    layout: Layout

    def write_program(self, source: str) -> None:
        (self.layout.checkout / "infra" / "__main__.py").write_text(source)

    def run(self, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Run `cloudcommerce-sandbox ARGUMENTS` in the checkout."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.layout.checkout,
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )

    def start(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        """Start `cloudcommerce-sandbox ARGUMENTS` in the checkout."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.layout.checkout,
            env=self.environment(**variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def command(self, *arguments: str) -> list[str]:
        return [str(Path(sys.executable).with_name("cloudcommerce-sandbox")), *arguments]

    def environment(self, **variables: str) -> dict[str, str]:
        # Hostile on purpose: nothing of a real account may get through.
        return {**os.environ, "AWS_PROFILE": "real", "PULUMI_ACCESS_TOKEN": "real", **variables}


def link_or_copy(source: Path, target: Path) -> None:
    """Share a large file where the file system can."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copy2(source, target)
