"""A cluster's control plane: etcd, API server, controller manager, scheduler, and kwok for its nodes."""

import logging
import shutil
import ssl
import time
import urllib.request
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

from cloudcommerce_sandbox.kubernetes.commands import Commands, Settings
from cloudcommerce_sandbox.kubernetes.component import Component
from cloudcommerce_sandbox.kubernetes.ports import HOST, Ports, is_free

_PROBE_SECONDS = 3.0
_PROBE_EVERY_SECONDS = 5.0
# A server that runs and has not answered for so long will not; one on a machine out of breath does before.
_MUTE_SECONDS = 60.0
_OK = 200

_PORTS: Mapping[str, Sequence[str]] = {
    "etcd": ("etcd", "etcd-peer"),
    "kube-apiserver": ("kube-apiserver",),
    "kube-controller-manager": ("kube-controller-manager",),
    "kube-scheduler": ("kube-scheduler",),
    "kwok": (),
}
_CLIENTS = ("kube-controller-manager", "kube-scheduler", "kwok")

_log = logging.getLogger(__name__)


class ControlPlane:
    """The processes of one cluster, on loopback ports of its own, with all that they keep in one folder.

    `tend` is called again and again: each call does what can be done at once.

    Args:
        directory: The cluster's folder; what is in it is taken up again, processes too.
        tools: The folder of the executables.
        settings: What it is like.

    Attributes:
        directory: As given.
        ready: Whether all of it has answered. It stays true while a process that was killed comes back.
    """

    def __init__(self, directory: Path, tools: Path, settings: Settings) -> None:
        self.directory = directory
        self.ready = False
        self._ports = Ports(directory / "ports.json")
        self._making = Commands(directory, tools, settings, self._ports)
        self._commands = self._making.all()
        self._components = {name: Component(name, directory) for name in self._commands}
        self._answered = 0.0
        self._probed = 0.0

    @property
    def endpoint(self) -> str:
        """The API server's address."""
        return self._making.endpoint

    @property
    def authority(self) -> Path:
        """The certificate authority of the API server, PEM."""
        return self._making.authority

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig of an administrator."""
        return self._making.kubeconfig

    @property
    def pids(self) -> dict[str, int]:
        """The processes that run, by component."""
        return {name: pid for name, item in self._components.items() if (pid := item.pid) is not None}

    def tend(self) -> bool:
        """Start what does not run and may, in the order in which the components need each other.

        Returns:
            Whether all of it runs and answers.

        Raises:
            SandboxError: A program is missing.
        """
        self._leave_taken_ports()
        if not self._keep("etcd") or is_free(self._ports["etcd"]):
            return False
        if not self._keep("kube-apiserver") or not self._server_answers():
            return False
        running = [self._keep(name) for name in _CLIENTS]
        runs = all(running)
        if runs and not self.ready:
            self.ready = all(self._is_healthy(name, "/healthz") for name in _CLIENTS if _PORTS[name])
        return runs and self.ready

    def troubles(self) -> str:
        """Return the last words of components that do not run; empty when all do."""
        return "\n".join(
            f"{name}: {item.last_words()}" for name, item in self._components.items() if item.pid is None
        )

    def end(self, *, at_once: bool = False) -> None:
        """End all processes; the data stay.

        Args:
            at_once: Whether nothing need be put in order.
        """
        for component in reversed(self._components.values()):
            component.end(at_once=at_once)
        self.ready = False

    def remove(self) -> None:
        """End all processes and delete all data."""
        self.end(at_once=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _keep(self, name: str) -> bool:
        return self._components[name].keep(self._commands[name])

    def _leave_taken_ports(self) -> None:
        """Give up ports that somebody else has taken while our process did not run."""
        due = [name for name, component in self._components.items() if component.due()]
        if self._ports.renew_taken([port for name in due for port in _PORTS[name]]):
            self._commands = self._making.all()

    def _server_answers(self) -> bool:
        server, now = self._components["kube-apiserver"], time.monotonic()
        if server.started > self._answered:
            self._probed = 0.0  # another process: what was heard of the last one does not count
        elif self.ready and now < self._probed + _PROBE_EVERY_SECONDS:
            return True
        self._probed = now
        if self._is_healthy("kube-apiserver", "/readyz"):
            self._answered = time.monotonic()
            return True
        if self.ready and now > max(self._answered, server.started) + _MUTE_SECONDS:
            _log.warning("kube-apiserver has not answered for %.0f s; restarting it", _MUTE_SECONDS)
            server.end(at_once=True)
        return False

    def _is_healthy(self, name: str, path: str) -> bool:
        url = f"https://{HOST}:{self._ports[name]}{path}"
        try:
            with self._opener.open(url, timeout=_PROBE_SECONDS) as answer:
                return bool(answer.status == _OK)
        except OSError:
            return False

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        context = ssl.create_default_context(cafile=str(self.authority))
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
