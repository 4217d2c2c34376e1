"""Puts the emulator together: moto, our extensions, the refusals, the control API and the server."""

from __future__ import annotations

import functools
import json
import os
import threading
import uuid
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moto.core import responses

from cloudcommerce_sandbox.emulator import extensions, guards
from cloudcommerce_sandbox.emulator.application import EmulatorApplication
from cloudcommerce_sandbox.emulator.control_api import ControlApi
from cloudcommerce_sandbox.emulator.faults import FaultPlan
from cloudcommerce_sandbox.emulator.inventory import inventory
from cloudcommerce_sandbox.emulator.kubernetes_api import KubernetesApi
from cloudcommerce_sandbox.emulator.kubernetes_feed import KubernetesFeed
from cloudcommerce_sandbox.emulator.logins import Login
from cloudcommerce_sandbox.emulator.provenance import provenance
from cloudcommerce_sandbox.emulator.recorder import CallRecorder
from cloudcommerce_sandbox.emulator.server import EmulatorServer

_READY_FILE_POLL_SECONDS = 2.0


class Emulator:
    """One emulator process.

    Args:
        host: loopback address.
        port: 0 for a free one.
        is_followed: whether somebody runs control planes and nodes for the Kubernetes clusters; what is
            created then becomes active when they say so.

    Raises:
        ValueError: `host` is not loopback.
        OSError: the address is taken.
    """

    def __init__(self, host: str, port: int, *, is_followed: bool = False) -> None:
        self.incarnation = uuid.uuid4().hex
        self._lock = threading.RLock()
        faults, recorder = FaultPlan(), CallRecorder()
        feed = KubernetesFeed(self.incarnation, self._lock)
        self._feed = feed
        control = ControlApi(
            identity=self.identity,
            provenance=provenance,
            inventory=self._inventory,
            login=self._login,
            kubernetes=KubernetesApi(feed, self._lock, self.identity).answer,
            faults=faults,
            recorder=recorder,
        )
        self._application = EmulatorApplication(
            guards.check, control, faults=faults, recorder=recorder, lock=self._lock, after=feed.after
        )
        self._server = EmulatorServer(host, port, self._application)
        _remember_method_names()
        # No service's model has the codes that all may answer, such as throttling: moto warns of each.
        warnings.filterwarnings("ignore", message=".* does not match an error shape")
        extensions.install(endpoint_url=self._server.url, lock=self._lock, is_followed=is_followed)

    def identity(self) -> dict[str, Any]:
        """Returns url, pid and incarnation: a new incarnation has none of the state of the last."""
        return {"url": self._server.url, "pid": os.getpid(), "incarnation": self.incarnation}

    def serve(self, ready_file: Path | None = None) -> None:
        """Answers requests until `stop`.

        Args:
            ready_file: gets the identity as JSON; it appears whole or not at all.
        """
        if ready_file:
            partial = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")
            partial.write_text(json.dumps(self.identity()))
            partial.replace(ready_file)
            threading.Thread(target=self._end_without, args=(ready_file,), daemon=True).start()
        # The socket listens since the constructor: a request sent now waits, none is refused.
        self._server.serve_forever()

    def stop(self) -> None:
        """Ends `serve`, from any other thread."""
        self._application.stopping.set()
        self._feed.close()
        self._server.shutdown()

    def _end_without(self, ready_file: Path) -> None:
        """Ends with the ready file: without it, nobody could find this process to use or end it."""
        while not self._application.stopping.wait(_READY_FILE_POLL_SECONDS):
            try:
                ours = json.loads(ready_file.read_text()) == self.identity()
            except (FileNotFoundError, NotADirectoryError, ValueError):
                ours = False
            except OSError:
                continue  # it may well be there: too many open files, a network drive that is away
            if not ours:
                self.stop()

    def _inventory(self) -> list[dict[str, Any]]:
        with self._lock:
            return inventory()

    def _login(self, document: Mapping[str, Any]) -> bool:
        attempt = Login.from_document(document)
        with self._lock:
            return attempt.is_accepted()


def _remember_method_names() -> None:
    # moto lists the methods of the response class on every call, which is most of the time of an EC2 call.
    setattr(responses, name := "method_names_from_class", functools.cache(getattr(responses, name)))
