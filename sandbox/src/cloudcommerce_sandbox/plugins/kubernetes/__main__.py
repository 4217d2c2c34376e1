"""Run the `kubernetes` plugin: `python -m cloudcommerce_sandbox.plugins.kubernetes [ENGINE_ADDRESS]`."""

import sys

from cloudcommerce_sandbox.plugins.kubernetes.engine import Engine
from cloudcommerce_sandbox.plugins.kubernetes.provider import KubernetesProvider
from cloudcommerce_sandbox.plugins.server import main

if __name__ == "__main__":
    main(KubernetesProvider(Engine(sys.argv[-1] if len(sys.argv) > 1 else "")))
