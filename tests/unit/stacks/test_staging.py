"""Staging: the same namespaces as production, on a cluster that stands already, with no account of AWS."""

import pytest

from infra.program import run
from tests.unit.mock_engine import Deployment, Resource, deploy
from tests.unit.stacks import program
from tests.unit.stacks.program import configuration, deploy_staging, stack_file

pytestmark = pytest.mark.mission_M40

RBAC = "kubernetes:rbac.authorization.k8s.io/v1"


@pytest.fixture(scope="module")
def staging() -> Deployment:
    return program.staging()


def guard_rails(deployment: Deployment) -> dict[str, Resource]:
    """What stands in the cluster, but for the amounts and volumes, which each environment has of its own."""
    return {
        f"{r.type} {r.name}": r
        for r in deployment.resources
        if r.type.startswith("kubernetes:") and not r.type.endswith((":ResourceQuota", ":StorageClass"))
    }


def test_staging_calls_no_aws(staging: Deployment) -> None:
    assert not [r.urn for r in staging.resources if "aws" in r.type or "eks" in r.type]
    assert staging.invokes == []


def test_staging_has_the_guard_rails_of_production(staging: Deployment) -> None:
    here, there = guard_rails(staging), guard_rails(program.production())
    differing = {name for name, r in there.items() if r.inputs != here[name].inputs}

    # No access policy of EKS makes the platform group administrator here.
    assert here.keys() - there.keys() == {f"{RBAC}:ClusterRoleBinding access-platform"}
    assert differing == {f"{RBAC}:Role access-developer-{each}" for each in ("order", "product", "user")}


def test_the_context_of_the_stack_file_is_the_cluster(staging: Deployment) -> None:
    (provider,) = (r for r in staging.resources if r.type == "pulumi:providers:kubernetes")
    used = {r.provider.rpartition("::")[0] for r in staging.resources if r.type.startswith("kubernetes:")}

    assert provider.inputs["context"] == provider.inputs["clusterIdentifier"] == "cloudcommerce-staging"
    assert used == {provider.urn}


def test_without_a_context_nothing_is_registered() -> None:
    config = configuration(stack_file("staging"))
    del config["kubernetes:context"]

    with pytest.raises(Exception, match=r"kubernetes:context: missing.*kubectl config get-contexts"):
        deploy(run, config=config)


def test_quotas_are_those_of_the_stack_file(staging: Deployment) -> None:
    given = stack_file("staging")["cloudcommerce:cluster"]["quotas"]
    hard = {r.inputs["metadata"]["namespace"]: r.inputs["spec"]["hard"] for r in staging.all("ResourceQuota")}

    assert {name: each["requests.cpu"] for name, each in hard.items()} == {
        name: str(each["cpu"]) for name, each in given.items()
    }


def test_staging_has_nothing_to_protect(staging: Deployment) -> None:
    assert not [r.urn for r in staging.resources if r.protect]


def test_a_staging_stack_has_no_use_for_an_account() -> None:
    with pytest.raises(Exception, match=r"cloudcommerce:aws: unknown key.*it takes environment, cluster"):
        deploy_staging(aws={"region": "us-east-1"})
