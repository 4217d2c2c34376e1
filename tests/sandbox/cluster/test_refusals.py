"""What the cluster refuses, the preview and the update refuse, in the server's own words."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.sandbox.cluster.standing import Standing
from tests.sandbox.workbench import CHECKOUT

pytestmark = [
    pytest.mark.xdist_group("cluster"),
    pytest.mark.mission_M35,
    pytest.mark.mission_M70,
]

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}
CHART = CHECKOUT / "sandbox" / "tests" / "charts" / "examples" / "cache"
QUOTA = """
small = k8s.core.v1.ResourceQuota(
    "small", metadata=meta("small"), spec={"hard": {"requests.cpu": "500m", "pods": "10"}}, opts=options()
)

def pod(name, cpu, **of_container):
    k8s.core.v1.Pod(
        name,
        metadata=meta(name),
        spec={"containers": [container(resources={"requests": {"cpu": cpu}}, **of_container)]},
        opts=options(depends_on=[small]),
    )
"""
FORESEEN = {
    "bad": 'pod("bad", "100m", security_context={"allow_privilege_escalation": True})\n',
    "greedy": 'pod("greedy", "501m")\n',
    "forbidden": """
auditor = k8s.Provider("auditor", kubeconfig=shop["auditor"], cluster_identifier=shop["identifier"])
k8s.core.v1.ConfigMap("forbidden", metadata=meta("forbidden"), opts=pulumi.ResourceOptions(provider=auditor))
""",
}
"""What the API server refuses at once, and so already a preview."""
FOUND_OUT = f"""
soon = dict(depends_on=[small], custom_timeouts=pulumi.CustomTimeouts(create="4s"))
deployment("many", opts=options(**soon), resources={{"requests": {{"cpu": "600m"}}}})
deployment("lax", opts=options(**soon), security_context={{}})
k8s.helm.v3.Release(
    "release",
    chart={str(CHART)!r},
    name="release",
    namespace=space,
    timeout=4,
    opts=options(depends_on=[small]),
)
"""
"""What it takes, and whose pods it refuses."""


@dataclass(frozen=True)
class Refused:
    """What preview and update said of a program that the cluster won't have.

    Attributes:
        previews: All that a preview printed of a program with this resource alone, by its name.
        messages: What the update said of each resource that failed, by its name.
        made: The resources that stand.
        namespace: Where all of it should have been.
    """

    previews: dict[str, str]
    messages: dict[str, str]
    made: set[str]
    namespace: str


@pytest.fixture(scope="module")
def refused(standing: Standing) -> Iterator[Refused]:
    auditor = json.dumps(standing.kubeconfigs["auditor"])
    with standing.opened(RESTRICTED, auditor=auditor) as bench:
        bench.program(QUOTA)
        bench.must_up()
        previews = {}
        for name, resource in FORESEEN.items():
            bench.program(QUOTA + resource)
            done = bench.session.engine.capture("preview", "--stack", bench.stack)
            assert done.returncode != 0
            previews[name] = done.stdout + done.stderr
        bench.program(QUOTA + "".join(FORESEEN.values()) + 'pod("good", "100m")' + FOUND_OUT)
        update = bench.up("--continue-on-error")
        assert update.exit_code != 0
        messages: dict[str, str] = {}
        for failure in update.failures():
            name = failure.urn.rsplit("::", 1)[-1]
            messages[name] = messages.get(name, "") + failure.message
        made = {record["urn"].rsplit("::", 1)[-1] for record in bench.state().custom()}
        yield Refused(previews, messages, made, bench.stack)


def test_a_pod_below_the_level_of_its_namespace(refused: Refused) -> None:
    """The message names the level, each field at fault, and where."""
    for said in (refused.previews["bad"], refused.messages["bad"]):
        assert 'violates PodSecurity "restricted:latest"' in said
        for field in ("allowPrivilegeEscalation != false", "runAsNonRoot != true", "seccompProfile"):
            assert field in said
        assert f"({refused.namespace}/bad)" in said
    assert "bad" not in refused.made
    assert "good" in refused.made


def test_a_pod_over_the_quota(refused: Refused) -> None:
    for said in (refused.previews["greedy"], refused.messages["greedy"]):
        assert "exceeded quota: small" in said
        assert "requested: requests.cpu=501m" in said
        assert "limited: requests.cpu=500m" in said
    assert "used: requests.cpu=" in refused.messages["greedy"]
    assert "greedy" not in refused.made


@pytest.mark.parametrize(
    ("name", "reason"),
    [("many", "exceeded quota: small"), ("lax", 'violates PodSecurity "restricted:latest"')],
)
def test_a_deployment_whose_pods_are_refused_fails_with_the_reason(
    refused: Refused, name: str, reason: str
) -> None:
    """The API server takes the Deployment: only its ReplicaSet finds out. It is in the state, half made."""
    assert reason in refused.messages[name]
    assert name in refused.made


def test_a_release_whose_pods_are_refused_fails_with_the_reason(refused: Refused) -> None:
    """Its container asks for no CPU, which the quota demands of every pod."""
    assert "failed quota: small: must specify requests.cpu" in refused.messages["release"]


@pytest.mark.mission_M21
def test_a_verb_that_the_role_has_not(refused: Refused) -> None:
    for said in (refused.previews["forbidden"], refused.messages["forbidden"]):
        assert 'cannot create resource "configmaps"' in said
        assert f'in the namespace "{refused.namespace}"' in said
    assert "forbidden" not in refused.made
