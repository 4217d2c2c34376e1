"""A resource plugin that does nothing, for the engine's own floor: `python -m benchmarks.noop_plugin`."""

from cloudcommerce_sandbox.plugins.provider import Difference, Failure, Provider, Request, Tree
from cloudcommerce_sandbox.plugins.server import main
from cloudcommerce_sandbox.plugins.wire import UNKNOWN


class NoopProvider(Provider):
    """Takes every resource as it is."""

    name = "noop"
    version = "1.0.0"

    def configure(self, config: Tree) -> None:
        """Need nothing."""

    def check(self, request: Request) -> tuple[Tree, list[Failure]]:
        """Return the inputs."""
        return request.inputs, []

    def diff(self, request: Request) -> Difference:  # noqa: ARG002 - the same for all
        """Find no difference."""
        return Difference()

    def create(self, request: Request) -> tuple[str, Tree]:
        """Return the inputs and a value to refer to."""
        if request.preview:
            return "", {**request.inputs, "value": UNKNOWN}
        return request.name, {**request.inputs, "value": request.name}

    def read(self, request: Request) -> tuple[str, Tree, Tree]:
        """Return what is known."""
        return request.id, request.inputs, request.state

    def update(self, request: Request) -> Tree:
        """Return the inputs."""
        return {**request.inputs, "value": request.name}

    def delete(self, request: Request) -> None:
        """Forget it."""

    def cancel(self) -> None:
        """Nothing ever waits."""


if __name__ == "__main__":
    main(NoopProvider())
