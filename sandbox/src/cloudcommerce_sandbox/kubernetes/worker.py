"""One cluster's life: started, kept, served by its controllers, taken away.

The controllers have a thread of their own. They may wait long for a server that hangs, and the first thread
is there to restart it.
"""

import base64
import logging
import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path

from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.commands import Settings
from cloudcommerce_sandbox.kubernetes.control_api import ControlApi
from cloudcommerce_sandbox.kubernetes.control_plane import ControlPlane
from cloudcommerce_sandbox.kubernetes.folders import claim, remove
from cloudcommerce_sandbox.kubernetes.model import ClusterSpec, Controller
from cloudcommerce_sandbox.kubernetes.rounds import Rounds
from cloudcommerce_sandbox.kubernetes.state import ClusterState

_TEND_SECONDS = 0.5
_TEND_STARTING_SECONDS = 0.1
_PAUSE_AFTER_FAILURE_SECONDS = 2.0
_START_SECONDS = 300.0

_log = logging.getLogger(__name__)


class Worker:
    """Brings one cluster to what its specification says, and keeps it there.

    Args:
        cluster: The cluster.
        directory: Its folder.
        tools: The folder of the executables.
        settings: What its control plane is like.
        controllers: Its controllers.
        control: Where to report.
        on_change: Called when its state has changed.
    """

    def __init__(
        self,
        cluster: ClusterSpec,
        *,
        directory: Path,
        tools: Path,
        settings: Settings,
        controllers: Sequence[Controller],
        control: ControlApi,
        on_change: Callable[[], None],
    ) -> None:
        self._cluster = cluster
        self._directory = directory
        self._tools = tools
        self._settings = settings
        self._control = control
        self._on_change = on_change
        self._rounds = Rounds(controllers, control)
        self._wake = threading.Event()
        self._leaving = threading.Event()
        self._due = threading.Event()
        self._ending = threading.Event()
        self._plane: ControlPlane | None = None
        self._api: ClusterApi | None = None
        self._begun = time.monotonic()
        self._failed = False
        self._announced = ""
        self.state = ClusterState(name=cluster.name, region=cluster.region)
        self._serves = False
        self._thread = threading.Thread(target=self._run, name=f"cluster {cluster.name}", daemon=True)
        self._serving = threading.Thread(target=self._serve, name=f"rounds of {cluster.name}", daemon=True)

    @property
    def cluster(self) -> ClusterSpec:
        """The cluster as it should be."""
        return self._cluster

    @property
    def is_alive(self) -> bool:
        """Whether there still is something of the cluster."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._serving.start()
        self._thread.start()

    def update(self, cluster: ClusterSpec) -> None:
        """Take a newer specification.

        Args:
            cluster: The cluster as it should be.
        """
        if cluster != self._cluster:
            self._cluster = cluster
            self._wake.set()
            self._due.set()

    def leave(self) -> None:
        """Take the cluster away, its data too; returns at once."""
        self._leaving.set()
        self._wake.set()

    def join(self) -> None:
        """Wait until the cluster is gone."""
        self._thread.join()

    def _run(self) -> None:
        while not self._leaving.is_set():
            pause = _PAUSE_AFTER_FAILURE_SECONDS
            try:
                if self._cluster.status == "DELETING":
                    break
                pause = self._advance()
            except Exception:  # noqa: BLE001  # whatever it is, the cluster's processes must be looked after
                _log.exception("The cluster %s could not be looked after", self._cluster.name)
            self._wake.wait(pause)
            self._wake.clear()
        self._take_away()

    def _advance(self) -> float:
        """Do what can be done at once, and return after how many seconds to look again."""
        if self._plane is None:
            claim(self._directory, self._cluster)
            self._plane = ControlPlane(self._directory, self._tools, self._settings)
        try:
            well = self._plane.tend()
        except SandboxError as error:
            self._fail(str(error))
            return _PAUSE_AFTER_FAILURE_SECONDS
        self._tell(self._plane, well=well)
        if not self._plane.ready:
            if time.monotonic() > self._begun + _START_SECONDS and not self._failed:
                self._fail(self._plane.troubles() or "The control plane does not answer.")
            return _TEND_STARTING_SECONDS
        if well and not self._serves:
            self._due.set()
        self._serves = well
        return _TEND_SECONDS

    def _serve(self) -> None:
        """Have the controllers at work while the control plane is well."""
        while not self._ending.is_set():
            if self._serves and self._plane is not None:
                try:
                    self._rounds.run(self._cluster, self._connected(self._plane))
                except Exception:  # noqa: BLE001  # the next round may find the server in order
                    _log.exception("The controllers of %s could not be called", self._cluster.name)
            self._due.wait(_TEND_SECONDS)
            self._due.clear()
        self._disconnect()

    def _tell(self, plane: ControlPlane, *, well: bool) -> None:
        state = ClusterState(
            name=self._cluster.name,
            region=self._cluster.region,
            ready=plane.ready,
            endpoint=plane.endpoint,
            kubeconfig=str(plane.kubeconfig),
            authority=base64.b64encode(plane.authority.read_bytes()).decode(),
            trouble="" if well else plane.troubles(),
            processes=plane.pids,
        )
        news = well and state.endpoint != self._announced
        if news or (well and self._cluster.status in {"CREATING", "UPDATING"}):
            self._control.report_cluster(
                self._cluster, "ACTIVE", endpoint=state.endpoint, authority=state.authority
            )
        if news:
            self._announced = state.endpoint
            seconds = time.monotonic() - self._begun
            _log.info("The cluster %s is ready at %s (%.1f s)", state.name, state.endpoint, seconds)
        if state != self.state:
            self.state = state
            self._on_change()

    def _connected(self, plane: ControlPlane) -> ClusterApi:
        if self._api is None or self._api.server != plane.endpoint:
            self._disconnect()
            self._api = ClusterApi(
                kubeconfig=plane.kubeconfig,
                emulator=self._control.emulator,
                region=self._cluster.region,
                directory=self._directory,
            )
        return self._api

    def _disconnect(self) -> None:
        if self._api is not None:
            self._api.close()
            self._api = None

    def _fail(self, message: str) -> None:
        _log.error("The cluster %s does not start: %s", self._cluster.name, message)
        self.state = ClusterState(name=self._cluster.name, region=self._cluster.region, trouble=message)
        self._on_change()
        if not self._failed:
            self._control.report_cluster(self._cluster, "FAILED", message=message)
            self._failed = True

    def _take_away(self) -> None:
        self._ending.set()
        self._due.set()
        if self._plane is not None:
            self._plane.end(at_once=True)  # no controller waits any longer then
        self._serving.join()
        remove(self._directory)
        _log.info("The cluster %s is gone", self._cluster.name)
        while not self._leaving.is_set():
            try:
                self._control.report_gone(self._cluster)
            except (OSError, HTTPException) as error:
                _log.warning("The end of %s can't be told yet: %s", self._cluster.name, error)
                self._leaving.wait(_PAUSE_AFTER_FAILURE_SECONDS)
            else:
                return
