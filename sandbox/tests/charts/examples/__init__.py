"""Charts of our own: `shop` has every kind of object that matters here and depends on `cache`."""

from pathlib import Path
from typing import Any

from cloudcommerce_sandbox.charts.declared import Declared

EXAMPLES = Path(__file__).parent


def release(values: dict[str, Any] | None = None, **changes: Any) -> Declared:
    fields: dict[str, Any] = {
        "logical_name": "shop",
        "name": "shop",
        "namespace": "store",
        "chart": "shop",
        "version": "1.2.3",
        "values": values or {},
    }
    return Declared(**{**fields, **changes})
