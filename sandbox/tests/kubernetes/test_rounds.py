"""When controllers are called, and what of their reports reaches the emulator."""

from typing import Any, cast

import pytest
from cloudcommerce_sandbox.kubernetes.api import ClusterApi
from cloudcommerce_sandbox.kubernetes.control_api import ControlApi
from cloudcommerce_sandbox.kubernetes.model import (
    AddonReport,
    AddonSpec,
    ClusterSpec,
    Issue,
    NodegroupReport,
    NodegroupSpec,
    Report,
)
from cloudcommerce_sandbox.kubernetes.rounds import Rounds

API = cast("ClusterApi", None)  # these controllers look at no cluster


class Scripted:
    """A controller that gives one report after the other, or fails."""

    def __init__(self, *reports: Report | Exception) -> None:
        self.reports = list(reports)
        self.calls = 0

    def reconcile(self, cluster: ClusterSpec, api: ClusterApi) -> Report:  # noqa: ARG002  # the contract's
        self.calls += 1
        report = self.reports.pop(0) if len(self.reports) > 1 else self.reports[0]
        if isinstance(report, Exception):
            raise report
        return report


class Told:
    """Takes reports in the emulator's place."""

    def __init__(self) -> None:
        self.reports: list[Any] = []

    def report_nodegroup(self, _: ClusterSpec, report: NodegroupReport) -> None:
        self.reports.append(report)

    def report_addon(self, _: ClusterSpec, report: AddonReport) -> None:
        self.reports.append(report)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("cloudcommerce_sandbox.kubernetes.rounds.time.monotonic", lambda: now[0])
    return now


def spec(group: str = "ACTIVE", addon: str = "ACTIVE") -> ClusterSpec:
    return ClusterSpec(
        name="shop",
        version="1.35",
        status="ACTIVE",
        nodegroups=(NodegroupSpec(name="main", status=group, version="1.35"),),
        addons=(AddonSpec(name="vpc-cni", version="v1", status=addon),),
    )


def made(*controllers: Scripted) -> tuple[Rounds, list[Any]]:
    told = Told()
    return Rounds(controllers, cast("ControlApi", told)), told.reports


def test_one_that_fails_is_called_again_later_and_disturbs_nobody(clock: list[float]) -> None:
    bad, good = Scripted(ValueError("no")), Scripted(Report())
    running, _ = made(bad, good)

    for _ in range(100):
        running.run(spec(), API)
        clock[0] += 0.1

    assert good.calls == 2  # at once and after five seconds
    assert 3 <= bad.calls <= 6  # ever more slowly

    bad.reports = [Report()]
    clock[0] += 60
    running.run(spec(), API)
    clock[0] += 5
    running.run(spec(), API)
    assert bad.reports == [Report()]


def test_change_calls_all_at_once(clock: list[float]) -> None:
    controller = Scripted(Report())
    running, _ = made(controller)

    running.run(spec(), API)
    running.run(spec(), API)
    running.run(spec(group="UPDATING"), API)

    assert controller.calls == 2
    clock[0] += 1
    running.run(spec(group="UPDATING"), API)
    assert controller.calls == 2


def test_one_at_work_says_when_to_call_it_again(clock: list[float]) -> None:
    controller = Scripted(Report(again_after_seconds=0.5))
    running, _ = made(controller)

    for _ in range(4):
        running.run(spec(), API)
        clock[0] += 0.5

    assert controller.calls == 4


def test_news_are_told_once_and_again_until_they_are_taken_in(clock: list[float]) -> None:
    ready = NodegroupReport(name="main", ready=("i-1",))
    well = AddonReport(name="vpc-cni", status="ACTIVE")
    ill = AddonReport(name="vpc-cni", status="DEGRADED", issues=(Issue(code="X", message="y"),))
    running, told = made(Scripted(Report(nodegroups=[ready], addons=[well])), Scripted(Report()))

    running.run(spec(group="CREATING", addon="CREATING"), API)
    assert told == [ready, well]
    clock[0] += 5
    running.run(spec(group="CREATING", addon="CREATING"), API)
    assert told == [ready, well] * 2
    for _ in range(3):
        clock[0] += 5
        running.run(spec(), API)
    assert told == [ready, well] * 2

    worse, told = made(Scripted(Report(addons=[well]), Report(addons=[ill])))
    worse.run(spec(), API)
    clock[0] += 5
    worse.run(spec(), API)
    assert told == [well, ill]
