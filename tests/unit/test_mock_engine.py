"""The recording engine must not flatter the code under test."""

import pulumi
import pulumi_aws as aws
import pulumi_eks as eks
import pulumi_random as random
import pytest

from tests.unit.mock_engine import deploy


class _Parent(pulumi.ComponentResource):
    def __init__(self, name: str) -> None:
        super().__init__("test:index:Parent", name)
        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            cidr_block="10.0.0.0/16",
            opts=pulumi.ResourceOptions(parent=self, protect=True, ignore_changes=["tags"]),
        )
        self.vpc_arn = vpc.arn
        self.register_outputs({"vpcArn": vpc.arn})


def test_records_registrations_with_their_options() -> None:
    def program() -> pulumi.Output[str]:
        return _Parent("main").vpc_arn

    deployment = deploy(program)

    vpc = deployment.one("aws:ec2/vpc:Vpc")
    assert vpc.type_chain == "test:index:Parent$aws:ec2/vpc:Vpc"
    assert (vpc.protect, vpc.ignore_changes) == (True, ("tags",))
    assert vpc.inputs == {"cidrBlock": "10.0.0.0/16"}
    assert deployment.result == vpc.outputs["arn"]
    assert deployment.children(deployment.named("main")) == [vpc]
    assert deployment.component_outputs[deployment.named("main").urn] == {"vpcArn": vpc.outputs["arn"]}


def test_programs_do_not_see_each_other() -> None:
    for _ in range(3):
        assert [r.name for r in deploy(lambda: _Parent("main").vpc_arn).resources] == ["main", "main-vpc"]


def test_secrets_stay_secret_through_a_resource() -> None:
    def program() -> None:
        password = random.RandomPassword("password", length=32)
        aws.secretsmanager.SecretVersion("version", secret_id="s", secret_string=password.result)
        pulumi.export("plain", "shown")
        pulumi.export("nested", {"inner": password.result})

    deployment = deploy(program)

    assert deployment.named("version").secret_inputs == {"secretString"}
    assert deployment.secret_exports == {"nested"}
    assert deployment.exports["plain"] == "shown"


def test_preview_leaves_computed_properties_unknown() -> None:
    applied: list[str] = []

    def program() -> None:
        vpc = aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16")
        vpc.arn.apply(applied.append)
        vpc.cidr_block.apply(applied.append)

    deploy(program, preview=True)

    assert applied == ["10.0.0.0/16"]


def test_refuses_duplicate_urns_and_unexpected_invokes() -> None:
    def duplicate() -> None:
        aws.ec2.Vpc("vpc", cidr_block="10.0.0.0/16")
        aws.ec2.Vpc("vpc", cidr_block="10.1.0.0/16")

    with pytest.raises(Exception, match="duplicate URN"):
        deploy(duplicate)
    with pytest.raises(Exception, match="unexpected invoke aws:index/getCallerIdentity"):
        deploy(lambda: aws.get_caller_identity_output().account_id)


def test_answers_the_invokes_it_was_given() -> None:
    answers = {"aws:index/getCallerIdentity:getCallerIdentity": {"accountId": "123456789012"}}

    deployment = deploy(lambda: aws.get_caller_identity_output().account_id, invokes=answers)

    assert deployment.result == "123456789012"
    assert len(deployment.invokes) == 1


def test_keeps_what_users_are_warned_of() -> None:
    def program() -> pulumi.Output[str]:
        secret = aws.secretsmanager.Secret("secret")
        version = aws.secretsmanager.SecretVersion("value", secret_id=secret.id, secret_string="text")
        return version.arn

    with pytest.warns(UserWarning, match="secret_arn"):
        deployment = deploy(program)

    assert ["arn is deprecated" in warning for warning in deployment.warnings] == [True]


def with_cluster() -> pulumi.Output[str]:
    cluster = eks.Cluster(
        "main",
        name="shop",
        version="1.35",
        authentication_mode=eks.AuthenticationMode.API,
        private_subnet_ids=["a"],
        endpoint_private_access=True,
        endpoint_public_access=False,
        encryption_config_key_arn="arn:key",
        enabled_cluster_log_types=["audit"],
        deletion_protection=True,
        upgrade_policy=aws.eks.ClusterUpgradePolicyArgs(support_type="STANDARD"),
        opts=pulumi.ResourceOptions(parent=pulumi.ComponentResource("test:index:Outer", "outer")),
    )
    return cluster.eks_cluster.apply(lambda it: it.endpoint)


def test_a_remote_component_hands_out_what_its_plugin_registers() -> None:
    deployment = deploy(with_cluster)

    made = deployment.one("aws:eks/cluster:Cluster")
    assert made.type_chain == "test:index:Outer$eks:index:Cluster$aws:eks/cluster:Cluster"
    assert made.inputs["name"] == "shop"
    assert deployment.result == made.outputs["endpoint"]


def test_what_a_remote_component_will_make_is_unknown_in_a_preview() -> None:
    assert deploy(with_cluster, preview=True).result is None


def test_an_unknown_remote_component_fails() -> None:
    class Unknown(pulumi.ComponentResource):
        def __init__(self) -> None:
            super().__init__("test:index:Unknown", "unknown", {}, None, remote=True)

    with pytest.raises(LookupError, match=r"unexpected remote component test:index:Unknown"):
        deploy(lambda: Unknown() and None)
