"""A plugin that does nothing, for the engine's own floor: `python -m benchmarks.noop_plugin NAME VERSION`.

It stands in for a real plugin under the same program, and answers at once with the outputs that the resources
had from that one: the engine, the SDK, the protocol and the checkpoints have the same work with both.
"""

import json
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

from cloudcommerce_sandbox.plugins.provider import Difference, Failure, Provider, Request, Tree
from cloudcommerce_sandbox.plugins.server import main
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret

from benchmarks.flat import SECRET, SIGNATURE

VARIABLE = "CLOUDCOMMERCE_BENCH_RESOURCES"


class NoopProvider(Provider):
    """Takes every resource as it is.

    Args:
        name: Name of the plugin that it stands in for.
        version: Its version.
    """

    def __init__(self, name: str, version: str) -> None:
        self.name = name
        self.version = version

    @cached_property
    def _resources(self) -> dict[str, dict[str, Any]]:
        document = json.loads(Path(os.environ[VARIABLE]).read_text())
        return {resource["name"]: resource for resource in document["resources"]}

    def configure(self, config: Tree) -> None:
        """Need nothing."""

    def check(self, request: Request) -> tuple[Tree, list[Failure]]:
        """Return the inputs."""
        return request.inputs, []

    def diff(self, request: Request) -> Difference:  # noqa: ARG002 - the same for all
        """Find no difference."""
        return Difference()

    def create(self, request: Request) -> tuple[str, Tree]:
        """Return what the resource had when the real plugin made it."""
        known = self._resources[request.name]
        if request.preview:
            return "", {**dict.fromkeys(known["outputs"], UNKNOWN), **request.inputs}
        return known["id"], {**_revealed(known["outputs"]), **request.inputs}

    def read(self, request: Request) -> tuple[str, Tree, Tree]:
        """Return what is known."""
        return request.id, request.inputs, request.state

    def update(self, request: Request) -> Tree:
        """Return the inputs."""
        return {**request.state, **request.inputs}

    def delete(self, request: Request) -> None:
        """Forget it."""

    def cancel(self) -> None:
        """Nothing here waits."""


def _revealed(value: Any) -> Any:
    """Return a value of an exported state as plugins handle it."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return Secret(json.loads(value["plaintext"]))
        return {name: _revealed(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_revealed(item) for item in value]
    return value


if __name__ == "__main__":
    main(NoopProvider(sys.argv[1], sys.argv[2]))
