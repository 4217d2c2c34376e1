"""Calling the controllers of one cluster: after changes, every few seconds, and again after failures."""

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass

from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.control_api import ControlApi
from cloudcommerce_sandbox.kubernetes.model import (
    AddonReport,
    ClusterSpec,
    Controller,
    NodegroupReport,
    Report,
)

_EVERY_SECONDS = 5.0
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 30.0

_log = logging.getLogger(__name__)


@dataclass
class _Entry:
    controller: Controller
    due: float = 0.0
    pause: float = 0.0

    @property
    def name(self) -> str:
        return type(self.controller).__name__


class Rounds:
    """The controllers of one cluster and when each is due.

    Args:
        controllers: The controllers.
        control: Takes their reports.
    """

    def __init__(self, controllers: Sequence[Controller], control: ControlApi) -> None:
        self._entries = [_Entry(controller) for controller in controllers]
        self._control = control
        self._told: dict[tuple[type, str], NodegroupReport | AddonReport] = {}
        self._seen: ClusterSpec | None = None

    def run(self, cluster: ClusterSpec, api: ClusterApi) -> None:
        """Call the controllers that are due; none fails for another's sake.

        Args:
            cluster: The cluster as it should be.
            api: The running cluster.
        """
        changed = cluster != self._seen
        self._seen = cluster
        for entry in self._entries:
            if changed or time.monotonic() >= entry.due:
                self._call(entry, cluster, api)

    def _call(self, entry: _Entry, cluster: ClusterSpec, api: ClusterApi) -> None:
        try:
            report = entry.controller.reconcile(cluster, api)
            self._pass_on(cluster, report)
        except Exception as error:  # noqa: BLE001  # whatever it is must not take the cluster down
            entry.pause = min(max(entry.pause * 2, _FIRST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)
            entry.due = time.monotonic() + entry.pause
            first = entry.pause == _FIRST_PAUSE_SECONDS
            _log.warning(
                "%s of %s failed, again in %.1f s: %s",
                entry.name,
                cluster.name,
                entry.pause,
                error,
                exc_info=first,
            )
            return
        entry.pause = 0.0
        again = _EVERY_SECONDS if report.again_after_seconds is None else report.again_after_seconds
        entry.due = time.monotonic() + min(again, _EVERY_SECONDS)

    def _pass_on(self, cluster: ClusterSpec, report: Report) -> None:
        """Tell the emulator what is new, and again what it has not taken in yet."""
        for group in report.nodegroups:
            settled = _status(cluster.nodegroups, group.name) in ("ACTIVE", "DEGRADED")
            if not settled or self._told.get((NodegroupReport, group.name)) != group:
                self._control.report_nodegroup(cluster, group)
                self._told[NodegroupReport, group.name] = group
        for addon in report.addons:
            if addon.status != _status(cluster.addons, addon.name) or (
                self._told.get((AddonReport, addon.name)) != addon
            ):
                self._control.report_addon(cluster, addon)
                self._told[AddonReport, addon.name] = addon


def _status(items: Sequence[object], name: str) -> str:
    return next((getattr(item, "status", "") for item in items if getattr(item, "name", "") == name), "")
