"""The follower's side of the emulator's control API."""

import json
import logging
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.kubernetes.model import AddonReport, ClusterSpec, Document, NodegroupReport

_TIMEOUT_SECONDS = 30.0
_NOT_FOUND = 404

# A proxy that is set up for the internet must not see requests to this machine.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_log = logging.getLogger(__name__)


class ControlApi:
    """Reads what should be, and reports what is.

    Args:
        emulator: The emulator's address.
    """

    def __init__(self, emulator: str) -> None:
        self.emulator = emulator
        self._url = f"{emulator.rstrip('/')}/sandbox-api/kubernetes"

    def document(self, *, after: int, wait_seconds: float) -> Document:
        """Return all clusters as they should be, waiting for news.

        Args:
            after: Return as soon as there is a newer generation than this one.
            wait_seconds: Return after so long in any case.

        Raises:
            OSError: There is no answer.
            ValueError: The answer is not JSON.
            DocumentError: The answer makes no sense.
        """
        query = urllib.parse.urlencode({"after": after, "wait": wait_seconds})
        with _direct.open(f"{self._url}?{query}", timeout=wait_seconds + _TIMEOUT_SECONDS) as answer:
            return Document.parse(json.load(answer))

    def report_cluster(
        self,
        cluster: ClusterSpec,
        status: str,
        *,
        endpoint: str = "",
        authority: str = "",
        message: str = "",
    ) -> None:
        """Tell what has become of a cluster.

        Args:
            cluster: The cluster.
            status: `ACTIVE` or `FAILED`.
            endpoint: Its API server's address.
            authority: The base64 of its certificate authority's PEM.
            message: Why it failed.
        """
        body = {"status": status, "endpoint": endpoint, "certificateAuthority": authority, "message": message}
        if cluster.local:
            self._send("POST", f"local/{_quoted(cluster.name)}", body)
        else:
            self._send("POST", self._path(cluster), {"region": cluster.region, **body})

    def report_gone(self, cluster: ClusterSpec) -> None:
        """Tell that nothing of a deleted cluster is left.

        Args:
            cluster: The cluster.
        """
        if not cluster.local:
            region = urllib.parse.urlencode({"region": cluster.region})
            self._send("DELETE", f"{self._path(cluster)}?{region}", None)

    def report_nodegroup(self, cluster: ClusterSpec, report: NodegroupReport) -> None:
        """Tell what has become of a node group.

        Args:
            cluster: Its cluster.
            report: What to tell.
        """
        path = f"{self._path(cluster)}/nodegroups/{_quoted(report.name)}"
        self._send("POST", path, {"region": cluster.region, **report.document()})

    def report_addon(self, cluster: ClusterSpec, report: AddonReport) -> None:
        """Tell what has become of an add-on.

        Args:
            cluster: Its cluster.
            report: What to tell.
        """
        path = f"{self._path(cluster)}/addons/{_quoted(report.name)}"
        self._send("POST", path, {"region": cluster.region, **report.document()})

    @staticmethod
    def _path(cluster: ClusterSpec) -> str:
        return f"clusters/{_quoted(cluster.name)}"

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> None:
        """Send a report; one about something that has gone meanwhile is not missed."""
        request = urllib.request.Request(  # noqa: S310  # the emulator's own address
            f"{self._url}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
            method=method,
        )
        try:
            with _direct.open(request, timeout=_TIMEOUT_SECONDS):
                pass
        except urllib.error.HTTPError as error:
            if error.code != _NOT_FOUND:
                raise
            _log.info("%s %s: the emulator knows of none", method, path)


def _quoted(name: str) -> str:
    return urllib.parse.quote(name, safe="")
