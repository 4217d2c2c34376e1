"""Tells whoever waits that Kubernetes clusters have changed."""

from __future__ import annotations

import json
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from typing import Any

from cloudcommerce_sandbox.emulator import kubernetes_document
from cloudcommerce_sandbox.emulator.wire import AwsCall

# The services whose calls change what the document shows.
_SERVICES = frozenset({"eks", "autoscaling", "ec2"})
_READS = ("Describe", "List", "Get")
LONGEST_WAIT_SECONDS = 60.0


class KubernetesFeed:
    """The document of all clusters, with a number that grows with each change.

    It is made anew under the lock of moto's state when something may have changed, and handed out from
    memory: those who wait for a change hold no lock that a call needs.

    Args:
        incarnation: the emulator's.
        lock: guards moto's state.
    """

    def __init__(self, incarnation: str, lock: threading.RLock) -> None:
        self._lock = lock
        self._incarnation = incarnation
        self._local: dict[str, dict[str, Any]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._generation = 1
        self._content: dict[str, Any] = {"clusters": [], "local": []}
        self._text = json.dumps(self._content)

    def after(self, call: AwsCall) -> None:
        """Looks for changes after an AWS call; the caller holds the lock.

        It never fails the call: what cannot be shown is written to the log.
        """
        if call.service in _SERVICES and not call.operation.startswith(_READS):
            try:
                self.refresh()
            except Exception:  # noqa: BLE001 - the call itself is done
                traceback.print_exc(file=sys.stderr)

    def refresh(self) -> None:
        """Makes the document anew and wakes those who wait if it is another."""
        with self._lock:
            content = {
                "clusters": kubernetes_document.clusters(),
                "local": [dict(cluster) for cluster in self._local.values()],
            }
            text = json.dumps(content)
            with self._changed:
                if text != self._text:
                    # Parsed from the text, so that no later change of moto's state shows through.
                    self._text, self._content = text, json.loads(text)
                    self._generation += 1
                    self._changed.notify_all()

    def wait(self, after: int, seconds: float) -> dict[str, Any]:
        """Returns the document as soon as its generation is above `after`, else after `seconds`."""
        deadline = time.monotonic() + min(seconds, LONGEST_WAIT_SECONDS)
        with self._changed:
            while self._generation <= after and not self._closed:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    break
                self._changed.wait(remaining)
            return {"generation": self._generation, "incarnation": self._incarnation, **self._content}

    def close(self) -> None:
        """Lets nobody wait any longer."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def put_local(self, name: str, cluster: Mapping[str, Any]) -> None:
        """Asks for a cluster without EKS, or changes what is asked for."""
        with self._lock:
            known = self._local.get(name, {"status": "CREATING", "endpoint": ""})
            self._local[name] = {**known, **cluster, "name": name}
        self.refresh()

    def report_local(self, name: str, report: Mapping[str, Any]) -> None:
        """Takes what became of a cluster without EKS.

        Raises:
            LookupError: nobody asks for such a cluster.
        """
        with self._lock:
            if name not in self._local:
                raise LookupError(f"no local cluster {name}")
            self._local[name].update(report)
        self.refresh()

    def remove_local(self, name: str) -> None:
        """Asks no longer for a cluster without EKS."""
        with self._lock:
            self._local.pop(name, None)
        self.refresh()
