"""What Helm makes of a chart, taken apart: objects, hooks and the kinds that it defines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from cloudcommerce_sandbox.charts.helm import Helm

Object = dict[str, Any]

KUBERNETES_VERSION: Final = "1.35.0"
"""What charts are told they run on; the version of the sandbox's control plane."""

_HOOK: Final = "helm.sh/hook"
_SOURCE: Final = re.compile(r"^# Source: (\S+)", re.MULTILINE)
_DOCUMENT: Final = re.compile(r"^---[^\n]*$", re.MULTILINE)
_DEFINITION: Final = "CustomResourceDefinition"


class _Loader(yaml.CSafeLoader):
    """Reads what Kubernetes' own YAML reader reads: a bare `=` and dates are text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith((":value", ":timestamp"))]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A rendered chart.

    Attributes:
        objects: What the release holds, without definitions of kinds.
        hooks: What Helm runs around an operation.
        bundled: Definitions from `crds/` folders, which Helm creates first and never changes or deletes.
        templated: Definitions that are objects of the release.
    """

    objects: list[Object] = field(default_factory=list)
    hooks: list[Object] = field(default_factory=list)
    bundled: list[Object] = field(default_factory=list)
    templated: list[Object] = field(default_factory=list)


def render(
    helm: Helm,
    chart: Sequence[str],
    *,
    release: str,
    namespace: str,
    values: Object,
    apis: Sequence[str] = (),
) -> Rendered:
    """Render a chart without a cluster.

    Args:
        helm: The command.
        chart: The chart as Helm takes it: a path or reference, and options that belong to it.
        release: The release's name.
        namespace: The release's namespace.
        values: The user's values.
        apis: Group versions, and kinds as `group/version/Kind`, that the chart shall find in the cluster.

    Raises:
        HelmError: The chart refuses the values, or is broken.
    """
    offered = [f"--api-versions={api}" for api in apis]
    manifest = helm.run(
        "template", release, *chart, "--namespace", namespace, "--include-crds",
        "--kube-version", KUBERNETES_VERSION, *offered, "--values", "-",
        stdin=json.dumps(values),
    )  # fmt: skip
    return parse(manifest)


def parse(manifest: str) -> Rendered:
    """Take a rendered manifest apart.

    Args:
        manifest: What `helm template --include-crds` prints.
    """
    rendered = Rendered()
    for source, item in _documents(manifest):
        annotations = (item.get("metadata") or {}).get("annotations") or {}
        if _HOOK in annotations:
            rendered.hooks.append(item)
        elif item.get("kind") != _DEFINITION:
            rendered.objects.append(item)
        elif "/crds/" in source:
            rendered.bundled.append(item)
        else:
            rendered.templated.append(item)
    return rendered


def objects_of(manifest: str) -> list[Object]:
    """Return the objects of a manifest, such as a release's."""
    return [item for _, item in _documents(manifest)]


def read_all(text: str) -> list[Any]:
    """Return the documents of a YAML text as Kubernetes reads them."""
    return list(yaml.load_all(text, Loader=_Loader))


def _documents(manifest: str) -> Iterator[tuple[str, Object]]:
    for text in _DOCUMENT.split(manifest):
        source = _SOURCE.search(text)
        for document in read_all(text):
            if isinstance(document, dict) and document:
                yield from ((source[1] if source else "", item) for item in _items(document))


def _items(document: Object) -> Iterator[Object]:
    if str(document.get("kind", "")).endswith("List") and isinstance(document.get("items"), list):
        yield from document["items"]
    else:
        yield document
