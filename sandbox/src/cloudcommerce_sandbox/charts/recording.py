"""Making a recording from a chart."""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from cloudcommerce_sandbox.charts.declared import Declared
from cloudcommerce_sandbox.charts.definitions import reference
from cloudcommerce_sandbox.charts.helm import Helm
from cloudcommerce_sandbox.charts.inventory import Hook, Inventory
from cloudcommerce_sandbox.charts.marks import Names, marked
from cloudcommerce_sandbox.charts.mirror import Chart
from cloudcommerce_sandbox.charts.rendering import Object, Rendered, render
from cloudcommerce_sandbox.charts.shape import shape
from cloudcommerce_sandbox.charts.values import sampled, settled


def record(helm: Helm, chart: Chart, release: Declared, apis: Sequence[str] = ()) -> Inventory:
    """Render a chart with a release's values and take down what comes out.

    Args:
        helm: The command.
        chart: The chart.
        release: The release.
        apis: What the chart shall find in the cluster (`group/version`).

    Raises:
        HelmError: The chart refuses the values, or is broken.
    """
    values = settled(release.values)
    names = Names(release.name, release.namespace)

    def rendered_for(given: Names) -> Rendered:
        return render(
            helm,
            chart.arguments,
            release=given.release,
            namespace=given.namespace,
            values=sampled(values),
            apis=apis,
        )

    rendered, twin = rendered_for(names), rendered_for(names.twin)
    objects = [shape(item) for item in sorted(rendered.objects, key=_place)]
    metadata = yaml.safe_load(helm.run("show", "chart", *chart.arguments))
    return Inventory(
        chart=chart.name,
        version=chart.version,
        app_version=str(metadata.get("appVersion") or ""),
        release=release.name,
        namespace=release.namespace,
        values=values,
        objects=marked(objects, [shape(item) for item in twin.objects], names),
        definitions=[
            *(reference(item, bundled=True) for item in rendered.bundled),
            *(reference(item, bundled=False) for item in rendered.templated),
        ],
        hooks=[_hook(item) for item in rendered.hooks],
    )


def _place(item: Object) -> tuple[str, str, str]:
    metadata = item.get("metadata") or {}
    return str(item.get("kind")), str(metadata.get("namespace", "")), str(metadata.get("name"))


def _hook(item: Object) -> Hook:
    metadata = item["metadata"]
    events = [event.strip() for event in metadata["annotations"]["helm.sh/hook"].split(",")]
    return Hook(kind=item["kind"], name=metadata["name"], events=events)
