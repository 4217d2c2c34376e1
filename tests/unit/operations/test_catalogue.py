"""Listing, recognizing and deleting what stands in AWS."""

from typing import Any

import boto3
import botocore.exceptions
import jmespath
import pytest

from operations.catalogue import KINDS, Kind, Status
from operations.catalogue.children import FINDERS, REPEATABLE, autonamed, find_child, route_id
from operations.catalogue.model import TagCall, status_of, tag_map
from operations.clients import Clients
from operations.ownership import Owner, arn_type, identify, take_census
from operations.recovery.orphans import delete_things, orphans_of
from operations.state import Resource
from tests.unit.operations.conftest import tags
from tests.unit.operations.stack_on_disk import record, state

OWNER = Owner("shop", "prod")


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.resource_type)
def test_every_row_names_calls_parameters_and_paths_that_botocore_knows(kind: Kind) -> None:
    client = boto3.client(kind.service, region_name="us-east-1")  # type: ignore[call-overload]
    calls: list[tuple[str, str | None]] = [(kind.operation, None)]
    if isinstance(kind.tags, TagCall):
        calls.append((kind.tags.operation, kind.tags.parameter))
    if kind.detail:
        calls.append((kind.detail.operation, kind.detail.parameter))
    for operation, parameter in calls:
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
        if parameter:
            assert parameter in model.input_shape.members
    for path in (kind.items, kind.id, kind.arn, kind.name, kind.state):
        if path:
            jmespath.compile(path)


def test_repeatable_listed_and_found_types_are_different_sets() -> None:
    assert not REPEATABLE & set(KINDS)
    assert not REPEATABLE & set(FINDERS)
    assert not set(FINDERS) & set(KINDS)


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("available", Status.READY),
        ("", Status.READY),
        ("RUNNING", Status.READY),
        ("creating", Status.CREATING),
        ("CREATION_IN_PROGRESS", Status.CREATING),
        ("pending", Status.CREATING),
        ("deleting", Status.DELETING),
        ("deleted", Status.DELETING),
        ("PendingDeletion", Status.DELETING),
        ("create-failed", Status.FAILED),
        ("failed", Status.FAILED),
        ("incompatible-parameters", Status.FAILED),
    ],
)
def test_the_services_words_for_states_are_sorted(word: str, status: Status) -> None:
    assert status_of(word) is status


@pytest.mark.parametrize(
    "spelling",
    [
        [{"Key": "Name", "Value": "x"}],
        [{"key": "Name", "value": "x"}],
        [{"TagKey": "Name", "TagValue": "x"}],
        {"Name": "x"},
    ],
)
def test_every_spelling_of_tags_is_read(spelling: Any) -> None:
    assert tag_map(spelling) == {"Name": "x"}


def test_no_tags_are_no_tags() -> None:
    assert tag_map(None) == tag_map([]) == tag_map({}) == {}


@pytest.mark.parametrize(
    ("arn", "type_"),
    [
        ("arn:aws:ec2:us-east-1:1:subnet/subnet-1", "ec2:subnet"),
        ("arn:aws:rds:us-east-1:1:db:x", "rds:db"),
        ("arn:aws:sns:us-east-1:1:alarms", "sns:topic"),
        ("arn:aws:s3:::bucket", "s3:bucket"),
        ("arn:aws:logs:us-east-1:1:log-group:/aws/x", "logs:log-group"),
    ],
)
def test_the_type_of_an_arn(arn: str, type_: str) -> None:
    assert arn_type(arn) == type_


def test_auto_naming_is_recognized_and_only_auto_naming() -> None:
    assert autonamed("runner", ["runner-1a2b3c4", "runner-policy", "other"]) == "runner-1a2b3c4"
    assert autonamed("runner", ["runner-1a2b3c4", "runner-2a2b3c4"]) is None, "two are as good as none"
    assert autonamed("a.c", ["abc-1a2b3c4"]) is None, "a name is no pattern"


def test_the_id_of_a_route_is_the_providers() -> None:
    # From the provider's own documentation of imports and hashes: CRC-32 of the destination.
    assert route_id("rtb-1", "0.0.0.0/0") == "rtb-1".join(["r-", "1080289494"])


def _vpc(name: str, **more: str) -> str:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    spec: Any = [{"ResourceType": "vpc", "Tags": tags(Name=name, **more)}]
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=spec)["Vpc"]["VpcId"])


def test_a_resource_is_found_by_its_tags_and_not_among_neighbors(aws: Clients) -> None:
    ours = _vpc("core")
    _vpc("other")
    _vpc("core", Environment="staging")
    census = take_census(aws, OWNER, [KINDS["aws:ec2/vpc:Vpc"]])
    lost = Resource(record("aws:ec2/vpc:Vpc", "core"))
    assert [thing.id for thing in identify(lost, census.things, OWNER, state())] == [ours]


def test_what_the_state_holds_is_no_candidate(aws: Clients) -> None:
    ours = _vpc("core")
    census = take_census(aws, OWNER, [KINDS["aws:ec2/vpc:Vpc"]])
    known = state(record("aws:ec2/vpc:Vpc", "core", ours))
    assert identify(Resource(record("aws:ec2/vpc:Vpc", "core")), census.things, OWNER, known) == ()


def test_a_name_counts_only_where_no_foreign_tags_speak_against_it(aws: Clients) -> None:
    iam = boto3.client("iam")
    trust = '{"Version": "2012-10-17", "Statement": []}'
    iam.create_role(RoleName="runner-1a2b3c4", AssumeRolePolicyDocument=trust)
    iam.create_role(
        RoleName="theirs-1a2b3c4",
        AssumeRolePolicyDocument=trust,
        Tags=[{"Key": "Project", "Value": "theirs"}],
    )
    things = take_census(aws, OWNER, [KINDS["aws:iam/role:Role"]]).things
    (found,) = identify(Resource(record("aws:iam/role:Role", "runner")), things, OWNER, state())
    assert (found.id, found.overrides) == ("runner-1a2b3c4", {"name": "runner-1a2b3c4"})
    assert identify(Resource(record("aws:iam/role:Role", "theirs")), things, OWNER, state()) == ()


def test_a_kind_that_cannot_be_listed_is_named_and_hides_nothing(
    aws: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise botocore.exceptions.ClientError(
            {"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeVpcs"
        )

    monkeypatch.setattr(aws.get("ec2"), "get_paginator", refuse)
    (unlisted,) = take_census(aws, OWNER, [KINDS["aws:ec2/vpc:Vpc"]]).unlisted
    assert unlisted.resource_type == "aws:ec2/vpc:Vpc"
    assert "AccessDenied" in unlisted.reason


def test_things_of_types_outside_the_catalogue_are_seen_through_their_tags(aws: Clients) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="shop-reports")
    s3.put_bucket_tagging(Bucket="shop-reports", Tagging={"TagSet": tags()})
    assert take_census(aws, OWNER, []).tagged_elsewhere == ("arn:aws:s3:::shop-reports",)


def test_orphans_are_deleted_in_an_order_that_aws_takes(aws: Clients) -> None:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    vpc = _vpc("core")

    def made(kind: str) -> Any:
        return [{"ResourceType": kind, "Tags": tags()}]

    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24", TagSpecifications=made("subnet"))[
        "Subnet"
    ]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc, TagSpecifications=made("route-table"))["RouteTable"]
    ec2.associate_route_table(RouteTableId=table["RouteTableId"], SubnetId=subnet)
    gateway = ec2.create_internet_gateway(TagSpecifications=made("internet-gateway"))["InternetGateway"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
    group = ec2.create_security_group(
        GroupName="g", Description="g", VpcId=vpc, TagSpecifications=made("security-group")
    )["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}]
    )
    kinds = [kind for kind in KINDS.values() if kind.service == "ec2"]
    orphans = orphans_of(take_census(aws, OWNER, kinds), OWNER, state())
    assert {vpc, subnet, group} <= {thing.id for thing in orphans}
    assert delete_things(aws, orphans, lambda _: None, patience=5, pause=0) == {}
    assert orphans_of(take_census(aws, OWNER, kinds), OWNER, state()) == ()


def test_what_aws_refuses_to_delete_is_returned_with_its_answer(aws: Clients) -> None:
    vpc = _vpc("core")
    boto3.client("ec2", region_name="us-east-1").create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")
    orphans = orphans_of(take_census(aws, OWNER, [KINDS["aws:ec2/vpc:Vpc"]]), OWNER, state())
    refused = delete_things(aws, orphans, lambda _: None, patience=0, pause=0)
    assert "DependencyViolation" in refused[vpc]


def test_routes_and_associations_are_found_by_what_they_connect(aws: Clients) -> None:
    ec2 = boto3.client("ec2", region_name="us-east-1")
    vpc = _vpc("core")
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    route = Resource(
        record(
            "aws:ec2/route:Route",
            "r",
            inputs={"routeTableId": table, "destinationCidrBlock": "0.0.0.0/0", "gatewayId": gateway},
        )
    )
    association = Resource(
        record(
            "aws:ec2/routeTableAssociation:RouteTableAssociation",
            "a",
            inputs={"routeTableId": table, "subnetId": subnet},
        )
    )
    assert find_child(aws, route) is None
    assert find_child(aws, association) is None
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    made = ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
    found_route, found_association = find_child(aws, route), find_child(aws, association)
    assert found_route is not None
    assert found_route.id == route_id(table, "0.0.0.0/0")
    assert found_association is not None
    assert found_association.id == made


def test_policies_aliases_and_secret_versions_are_found_by_their_parents(aws: Clients) -> None:
    iam = boto3.client("iam")
    iam.create_role(RoleName="runner", AssumeRolePolicyDocument='{"Version": "2012-10-17", "Statement": []}')
    policy = Resource(record("aws:iam/rolePolicy:RolePolicy", "reads", inputs={"role": "runner"}))
    assert find_child(aws, policy) is None
    iam.put_role_policy(
        RoleName="runner",
        PolicyName="reads-1a2b3c4",
        PolicyDocument='{"Version": "2012-10-17", "Statement": '
        '[{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}',
    )
    found = find_child(aws, policy)
    assert found is not None
    assert (found.id, found.overrides) == ("runner:reads-1a2b3c4", {"name": "reads-1a2b3c4"})

    kms = boto3.client("kms", region_name="us-east-1")
    alias = Resource(record("aws:kms/alias:Alias", "customer", inputs={"name": "alias/shop"}))
    assert find_child(aws, alias) is None
    kms.create_alias(AliasName="alias/shop", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    found = find_child(aws, alias)
    assert found is not None
    assert found.id == "alias/shop"

    secrets = boto3.client("secretsmanager", region_name="us-east-1")
    secret = secrets.create_secret(Name="s")["ARN"]
    version = Resource(
        record("aws:secretsmanager/secretVersion:SecretVersion", "v", inputs={"secretId": secret})
    )
    assert find_child(aws, version) is None
    made = secrets.put_secret_value(SecretId=secret, SecretString="x")["VersionId"]
    found = find_child(aws, version)
    assert found is not None
    assert found.id == f"{secret}|{made}"


def test_a_child_of_a_missing_parent_is_absent(aws: Clients) -> None:
    gone = record("aws:iam/rolePolicy:RolePolicy", "reads", inputs={"role": "nobody"})
    assert find_child(aws, Resource(gone)) is None


def test_an_empty_account_is_listed_without_a_finding(aws: Clients) -> None:
    # Plain moto has no such calls; the emulator adds them and tests them there.
    missing = {"aws:elasticache/userGroup:UserGroup", "aws:elasticache/parameterGroup:ParameterGroup"}
    census = take_census(aws, OWNER, [KINDS[name] for name in KINDS.keys() - missing])
    assert census.unlisted == ()
    assert orphans_of(census, OWNER, state()) == ()
