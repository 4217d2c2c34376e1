"""A recording as a chart that Helm installs: it renders the recorded objects, whatever the values are.

So it is a release like any other: Helm owns its objects, waits for them, keeps its history and takes it away.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import yaml

from cloudcommerce_sandbox.charts.definitions import definitions
from cloudcommerce_sandbox.charts.inventory import Inventory
from cloudcommerce_sandbox.charts.marks import Names
from cloudcommerce_sandbox.charts.mirror import Chart

Object = dict[str, Any]

WITHHELD: Final = frozenset(
    {
        "APIService",
        "MutatingWebhookConfiguration",
        "ValidatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
    }
)
"""Kinds by which the API server would call pods. Played pods do not answer, and it would refuse or hang."""

_TEMPLATE: Final = """\
{{- range $path, $_ := .Files.Glob "objects/*.json" }}
---
{{ $.Files.Get $path }}
{{- end }}
"""


def write(inventory: Inventory, folder: Path, *, release: str, namespace: str) -> Chart:
    """Write the stand-in chart of a recording.

    Args:
        inventory: The recording.
        folder: An empty folder for it.
        release: The release's name, which takes the place of the recorded one.
        namespace: The release's namespace, likewise.

    Returns:
        The chart.

    Raises:
        SandboxError: The schemas of the kinds that it brings can't be had.
    """
    for name in ("templates", "objects", "crds"):
        (folder / name).mkdir(parents=True)
    metadata = {
        "apiVersion": "v2",
        "name": inventory.chart,
        "version": inventory.version,
        "appVersion": inventory.app_version or inventory.version,
        "description": f"Stand-in recorded from the chart ({inventory.key})",
    }
    (folder / "Chart.yaml").write_text(yaml.safe_dump(metadata))
    (folder / "templates" / "objects.yaml").write_text(_TEMPLATE)
    names = Names(release, namespace)
    objects = [names.filled(item) for item in inventory.objects if item["kind"] not in WITHHELD]
    kinds = definitions(inventory.definitions)
    objects += [kinds[item.name] for item in inventory.definitions if not item.bundled]
    for index, item in enumerate(objects):
        (folder / "objects" / f"{index:04}.json").write_text(json.dumps(item))
    for item in inventory.definitions:
        if item.bundled:
            (folder / "crds" / f"{item.name}.yaml").write_text(json.dumps(kinds[item.name]))
    return Chart(inventory.chart, inventory.version, (str(folder),))
