"""The sandbox's own aws plugin, writing down each AWS call: `python -m benchmarks.recording_plugin`.

The file named by CLOUDCOMMERCE_BENCH_CALLS gets one pickled tuple a successful call: service, region, method,
request, response.
"""

import os
import pickle
import threading
from pathlib import Path
from typing import Any

from cloudcommerce_sandbox.plugins.aws.clients import Clients
from cloudcommerce_sandbox.plugins.aws.provider import AwsProvider
from cloudcommerce_sandbox.plugins.server import main

VARIABLE = "CLOUDCOMMERCE_BENCH_CALLS"


def record_to(path: Path) -> None:
    """Make every client append its calls to a file."""
    lock = threading.Lock()
    attempt = Clients._attempt

    def recorded(self: Clients, service: str, region: str, method: str, request: dict[str, Any]) -> Any:
        response = attempt(self, service, region, method, request)
        with lock, path.open("ab") as file:
            pickle.dump((service, region, method, request, response), file)
        return response

    Clients._attempt = recorded  # type: ignore[method-assign]  # the plugin has no other place to look in


if __name__ == "__main__":
    record_to(Path(os.environ[VARIABLE]))
    main(AwsProvider())
