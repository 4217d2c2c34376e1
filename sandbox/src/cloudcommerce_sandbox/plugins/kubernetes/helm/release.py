"""The resource `kubernetes:helm.sh/v3:Release`, with the inputs and outputs of the official plugin.

https://www.pulumi.com/registry/packages/kubernetes/api-docs/helm/v3/release/
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cloudcommerce_sandbox.charts import mirror
from cloudcommerce_sandbox.charts.helm import Helm, HelmError, Tell
from cloudcommerce_sandbox.charts.inventory import Recordings
from cloudcommerce_sandbox.charts.mirror import same_version
from cloudcommerce_sandbox.plugins import wire
from cloudcommerce_sandbox.plugins.kubernetes.cluster import Cluster
from cloudcommerce_sandbox.plugins.kubernetes.engine import Engine
from cloudcommerce_sandbox.plugins.kubernetes.helm import inputs as arguments
from cloudcommerce_sandbox.plugins.kubernetes.helm import options, troubles
from cloudcommerce_sandbox.plugins.kubernetes.helm.client import HelmClient
from cloudcommerce_sandbox.plugins.kubernetes.helm.sources import Source, Sources
from cloudcommerce_sandbox.plugins.kubernetes.secret_marks import mark, masked
from cloudcommerce_sandbox.plugins.provider import (
    Change,
    Difference,
    Failure,
    InitializationError,
    Kind,
    ProviderError,
    Request,
    Tree,
)

TOKEN: Final = "kubernetes:helm.sh/v3:Release"  # noqa: S105 - a type token

_DEPLOYED: Final = "deployed"
_DECIDING: Final = ("chart", "name", "namespace", "repositoryOpts", "valueYamlFiles", "version")
# What is planned before it is there: a kind that another release brings, or the namespace of this one.
# A release whose Helm was killed: the operation frees it first.
_NOT_YET: Final = (
    "ensure CRDs are installed first",
    "no matches for kind",
    'namespaces "',
    "another operation (install/upgrade/rollback) is in progress",
)
# Events are told with the server's clock, in whole seconds.
_CLOCK_SLACK: Final = timedelta(seconds=2)


class ReleaseResource:
    """Helm releases in one cluster.

    Args:
        cluster: The provider's cluster.
        engine: Takes messages for the person who runs Pulumi.
        recordings: The recordings that stand in for charts.
    """

    def __init__(
        self, cluster: Cluster, engine: Engine | None = None, recordings: Recordings | None = None
    ) -> None:
        self._cluster = cluster
        self._engine = engine or Engine()
        self._recordings = recordings or Recordings()
        self._helm: Helm | None = None

    def check(self, request: Request) -> tuple[Tree, list[Failure]]:
        """Complete the inputs, find the chart and settle its version."""
        wrong = list(arguments.failures(request.inputs))
        if wrong:
            return request.inputs, wrong
        found = arguments.complete(request, self._cluster.default_namespace)
        if any(wire.has_unknown(found.get(name)) for name in _DECIDING):
            return found, []
        try:
            source = self._source(found)
        except ProviderError as error:
            return found, [Failure("chart", str(error))]
        if source.warning:
            self._engine.warn_once(request.urn, source.warning)
        return {**found, "version": source.version}, []

    def diff(self, request: Request) -> Difference:
        """Compare the inputs with those in state, and both with what Helm last said of the release."""
        old, new = request.old_inputs, request.inputs
        changes = {path: change for name in sorted({*old, *new}) for path, change in _changes(name, old, new)}
        status = (request.state.get("status") or {}).get("status")
        if not changes and status not in (None, _DEPLOYED):
            changes["status.status"] = Change(Kind.UPDATE, computed=True)
        return Difference(changes)

    def create(self, request: Request) -> tuple[str, Tree]:
        """Install the chart.

        Raises:
            InitializationError: The release is there and did not become ready.
            ProviderError: It is not there.
        """
        if request.preview:
            return "", self._previewed(request)
        plain = self._reachable(wire.reveal(request.inputs))
        namespace, name = plain["namespace"], plain["name"]
        self._make_room(request.urn, namespace, name)
        self._deploy(request, plain, first=True)
        return f"{namespace}/{name}", self._outputs(request.inputs, namespace, name)

    def read(self, request: Request) -> tuple[str, Tree, Tree]:
        """Read the release as Helm knows it; one that is imported gets its inputs from it."""
        namespace, _, name = request.id.rpartition("/")
        namespace = namespace or self._cluster.default_namespace
        self._reachable({})
        with _told():
            found = self._client.metadata(namespace, name)
            if found is None:
                return "", {}, {}
            values = self._client.values(namespace, name)
        known = dict(request.inputs) or _imported(found, namespace, name)
        known = _with_live_values(known, values)
        if not same_version(str(known.get("version") or ""), str(found["version"])):
            known["version"] = found["version"]
        return f"{namespace}/{name}", known, self._outputs(known, namespace, name)

    def update(self, request: Request) -> Tree:
        """Bring the release to the new chart version and values; see `create`."""
        if request.preview:
            return self._previewed(request)
        plain = self._reachable(wire.reveal(request.inputs))
        namespace, name = plain["namespace"], plain["name"]
        with _told():
            found = self._client.metadata(namespace, name)
            if found and self._client.recover(namespace, name, found):
                self._warn_of_recovery(request.urn, found)
        self._deploy(request, plain, first=False)
        return self._outputs(request.inputs, namespace, name)

    def delete(self, request: Request) -> None:
        """Uninstall the release and wait for the end of its objects."""
        plain = self._reachable(wire.reveal(request.inputs))
        namespace, _, name = request.id.rpartition("/")
        tell = self._teller(request, f"helm uninstalls {name}")
        with _told():
            self._client.uninstall(namespace, name, options.uninstall(plain, request.timeout), tell)

    def cancel(self) -> None:
        """End Helm's running commands; they mark their releases as failed."""
        if self._helm is not None:
            self._helm.cancel()

    @property
    def _command(self) -> Helm:
        if self._helm is None:
            with _told():
                self._helm = Helm.find()
        return self._helm

    @property
    def _client(self) -> HelmClient:
        return HelmClient(self._command, self._cluster)

    @property
    def _sources(self) -> Sources:
        return Sources(self._command, mirror.configured(os.environ), self._recordings)

    def _source(self, inputs: Tree) -> Source:
        return self._sources.find(wire.reveal(inputs), arguments.merged_values(inputs))

    def _reachable(self, plain: Tree) -> Tree:
        if self._cluster.unreachable:
            raise ProviderError(self._cluster.unreachable)
        return plain

    def _previewed(self, request: Request) -> Tree:
        """Return what an operation would make, after a dry run when enough is known for one."""
        is_known = not wire.has_unknown(request.inputs) and mirror.configured() != mirror.NOWHERE
        if is_known and not self._cluster.unreachable:
            plain = wire.reveal(request.inputs)
            try:
                with self._sources.opened(self._source(request.inputs), plain) as chart:
                    self._client.deploy(
                        options.dry_run(plain), plain["namespace"], chart, arguments.merged_values(plain)
                    )
            except HelmError as error:
                if not any(text in str(error) for text in _NOT_YET):
                    raise ProviderError(str(error)) from error
        return {**request.inputs, "status": wire.UNKNOWN, "resourceNames": wire.UNKNOWN}

    def _make_room(self, urn: str, namespace: str, name: str) -> None:
        """Clear away what a killed first installation left; refuse a name that is in use."""
        with _told():
            found = self._client.metadata(namespace, name)
            if found is None:
                return
            if self._client.recover(namespace, name, found):
                self._warn_of_recovery(urn, found)
                return
        message = (
            f"there is a release {namespace}/{name} already ({found['chart']} {found['version']}, "
            f"{found['status']}): `pulumi import {TOKEN} NAME {namespace}/{name}` takes it into the stack"
        )
        raise ProviderError(message)

    def _deploy(self, request: Request, plain: Tree, *, first: bool) -> None:
        namespace, name = plain["namespace"], plain["name"]
        values = arguments.merged_values(plain)
        source = self._source(request.inputs)
        if source.inventory is not None and not self._client.has_played_nodes():
            message = (
                f"release {name}: the cluster's nodes are real, and a recording of {plain['chart']} has "
                f"nothing to run there; set {mirror.VARIABLE} to a chart mirror or to `{mirror.REPOSITORIES}`"
            )
            raise ProviderError(message)
        begun = datetime.now(UTC) - _CLOCK_SLACK
        with self._sources.opened(source, plain) as chart:
            tell = self._teller(request, f"helm {'installs' if first else 'upgrades'} {name}")
            try:
                if plain.get("lint") is True:
                    self._client.lint(chart, values)
                command = options.install if first else options.upgrade
                self._client.deploy(command(plain, request.timeout), namespace, chart, values, tell)
            except HelmError as error:
                self._fail(request, namespace, name, str(error), begun)
        self._engine.progress(request.urn, "")
        # The chart may have brought kinds that later resources use.
        self._cluster.forget_kinds()

    def _teller(self, request: Request, what: str) -> Tell:
        """Show what Helm does, and return what shows besides what it waits for."""
        self._engine.progress(request.urn, what)

        def tell(message: str) -> None:
            self._engine.progress(request.urn, f"{what}: {masked(message, request.inputs)}")

        return tell

    def _fail(self, request: Request, namespace: str, name: str, message: str, begun: datetime) -> None:
        """Raise the failure with what the cluster says; a release that is there must be remembered."""
        with _told():
            exists = self._client.metadata(namespace, name) is not None
            objects = self._client.objects(namespace, name) if exists else []
        lines = [
            *troubles.unready(self._cluster, namespace, objects),
            *troubles.warnings(self._cluster, namespace, objects, begun),
        ]
        reason = troubles.explained(f"helm release {namespace}/{name}: {message}", lines)
        if not exists:
            raise ProviderError(reason)
        raise InitializationError(
            reason, f"{namespace}/{name}", self._outputs(request.inputs, namespace, name)
        )

    def _outputs(self, inputs: Tree, namespace: str, name: str) -> Tree:
        with _told():
            found = self._client.metadata(namespace, name)
            if found is None:
                message = f"release {namespace}/{name} is gone"
                raise ProviderError(message)
            objects = self._client.objects(namespace, name)
        status = {
            "appVersion": found.get("appVersion"),
            "chart": found["chart"],
            "name": name,
            "namespace": namespace,
            "revision": found["revision"],
            "status": found["status"],
            "version": found["version"],
        }
        return {**inputs, "status": status, "resourceNames": _resource_names(objects)}

    def _warn_of_recovery(self, urn: str, found: Tree) -> None:
        killed = f"helm was killed in the middle of revision {found['revision']} ({found['status']})"
        self._engine.warn(urn, f"{killed}; it begins anew")


class _told:  # noqa: N801 - reads as a statement
    """Turns Helm's failures into what the user is told."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, HelmError):
            raise ProviderError(str(error)) from error


def _changes(name: str, old: Tree, new: Tree) -> Iterator[tuple[str, Change]]:
    if name not in old:
        yield name, Change(Kind.ADD, replace=name in arguments.REPLACING)
    elif name not in new:
        yield name, Change(Kind.DELETE)
    else:
        for path in _paths(name, old[name], new[name]):
            yield path, Change(Kind.UPDATE, replace=name in arguments.REPLACING)


def _paths(path: str, old: Any, new: Any) -> Iterator[str]:
    """Yield where two values differ, as deep as both are maps; a secret's inside is not told."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            inner = f'{path}["{key}"]' if "." in key or "[" in key else f"{path}.{key}"
            if key in old and key in new:
                yield from _paths(inner, old[key], new[key])
            else:
                yield inner
    elif isinstance(old, wire.Asset) and isinstance(new, wire.Asset):
        if old.hash != new.hash:
            yield path
    elif wire.has_unknown(new) or wire.reveal(old) != wire.reveal(new):
        yield path


def _imported(found: Tree, namespace: str, name: str) -> Tree:
    return {
        "chart": found["chart"],
        "version": found["version"],
        "name": name,
        "namespace": namespace,
        "timeout": options.DEFAULT_TIMEOUT,
    }


def _with_live_values(known: Tree, live: Tree) -> Tree:
    """Put the live values into the inputs where somebody changed them; what was secret stays so."""
    before = arguments.merged_values(known)
    if wire.reveal(before) == live or known.get("reuseValues") is True:
        return known
    kept = {key: value for key, value in known.items() if key != "valueYamlFiles"}
    return {**kept, "values": mark(live, before)}


def _resource_names(objects: list[Tree]) -> dict[str, list[str]]:
    """Return the names of objects by `Kind.group/apiVersion`, as the official plugin has them."""
    found: dict[str, set[str]] = {}
    for item in objects:
        version, metadata = item["apiVersion"], item["metadata"]
        group, _, _ = version.rpartition("/")
        kind = f"{item['kind']}.{group}" if group else item["kind"]
        place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
        found.setdefault(f"{kind}/{version}", set()).add(f"{place}{metadata['name']}")
    return {key: sorted(names) for key, names in sorted(found.items())}
