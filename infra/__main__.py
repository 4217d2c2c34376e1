"""Where `pulumi up` enters."""

import importlib
import sys
from pathlib import Path

# The engine puts this directory on the path, but the packages stand beside it, in the project's root.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

importlib.import_module("infra.program").run()
