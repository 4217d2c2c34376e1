"""Each service's own benchmark, which shows its figures beside their floors."""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.local import builds, credentials
from services.local.building import CHECKOUT, run
from services.local.errors import ShopError
from services.local.home import Home
from services.stores import together
from services.stores.process import Supervised
from services.testing import suites
from services.testing.workspace import Workspace

_SHOWN = 3000


@dataclass(frozen=True)
class Benchmark:
    """A program that prints figures.

    Attributes:
        command: It; with `--json` it prints one JSON document.
        directory: Where it runs.
        environment: Variables beside those of the stores.
    """

    command: Sequence[str | Path]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)


def measure(service: str, workspace: Workspace, *, as_json: bool) -> Any:
    """Run a service's benchmark on stores of its own.

    Args:
        service: Its name.
        workspace: Where it works.
        as_json: Whether to read a document, or text for people.

    Returns:
        The document, or the text.

    Raises:
        ShopError: A store or the benchmark failed.
    """
    # As durable as production's, in floor and service alike.
    with together.running({*suites.STORES[service].values()}, durable=True) as urls:
        benchmark = BENCHMARKS[service](workspace, urls)
        output, errors = (workspace.logs / f"{service}-benchmark.{suffix}" for suffix in ("out", "log"))
        process = Supervised(
            f"{service} benchmark",
            [*benchmark.command, *(["--json"] if as_json else [])],
            errors,
            output=output,
            environment={
                "TMPDIR": str(workspace.temporary),
                **suites.store_variables(service, urls),
                **benchmark.environment,
            },
            directory=benchmark.directory,
            stop_signal="SIGKILL",
        )
        try:
            code = process.wait()
        finally:
            process.stop()
    printed = output.read_text()
    if code:
        raise ShopError(f"the benchmark of {service} failed:\n{(printed + errors.read_text())[-_SHOWN:]}")
    return json.loads(printed) if as_json else printed


def _user(workspace: Workspace, urls: Mapping[str, str]) -> Benchmark:
    built = builds.user()
    environment = {
        "MONGODB_URL": urls["mongodb"],
        "REDIS_URL": urls["redis"],
        "JWT_KEYS_FILE": str(credentials.signing_keys(Home(workspace.temporary), built)),
    }
    migrate = ["node", "dist/src/commands/migrate.js"]
    run("The user service's indexes", "install Node.js", migrate, built, {**os.environ, **environment})
    command = ["npm", "run", "--silent", "bench", "--"]
    return Benchmark(command, workspace.user_service(), environment)


def _product(_workspace: Workspace, _urls: Mapping[str, str]) -> Benchmark:
    return Benchmark([builds.product_development(), "-m", "bench"], CHECKOUT / "services" / "product")


def _order(_workspace: Workspace, _urls: Mapping[str, str]) -> Benchmark:
    return Benchmark(["go", "run", "./bench"], CHECKOUT / "services" / "order")


BENCHMARKS: Mapping[str, Callable[[Workspace, Mapping[str, str]], Benchmark]] = {
    "user": _user,
    "product": _product,
    "order": _order,
}
"""The services that have a benchmark: each is prepared in a workspace, on stores with these URLs."""
