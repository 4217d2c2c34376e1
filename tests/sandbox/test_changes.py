"""Single changes on the real engine: in place, by replacement, by import, by renaming, to another region."""

from tests.sandbox.workbench import Workbench, steps_of

GROUPS = """
vpc = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", opts=options())
web = aws.ec2.SecurityGroup("web", vpc_id=vpc.id, description="DESCRIPTION", opts=options())
aws.vpc.SecurityGroupIngressRule(
    "https", security_group_id=web.id, ip_protocol="tcp", from_port=443, to_port=443, cidr_ipv4="10.0.0.0/8",
    opts=options(),
)
"""
LOGS = 'aws.cloudwatch.LogGroup("requests", opts=options(), **ARGUMENTS)'


def test_update_in_place_keeps_the_resource(workbench: Workbench) -> None:
    workbench.program(LOGS.replace("ARGUMENTS", "dict(retention_in_days=30)"))
    workbench.must_up()
    before = workbench.resource("requests")["id"]

    workbench.program(LOGS.replace("ARGUMENTS", "dict(retention_in_days=90)"))
    changed = workbench.must_up()

    assert steps_of(changed) == [("update", "requests")]
    assert workbench.resource("requests")["id"] == before
    [shown] = workbench.client("logs").describe_log_groups(logGroupNamePrefix=before)["logGroups"]
    assert shown["retentionInDays"] == 90


def test_replacement_creates_before_it_deletes_and_takes_dependents_along(workbench: Workbench) -> None:
    workbench.program(GROUPS.replace("DESCRIPTION", "Web"))
    workbench.must_up()
    before = workbench.resource("web")["id"]

    workbench.program(GROUPS.replace("DESCRIPTION", "All of the web"))
    steps = steps_of(workbench.must_up())

    assert steps.index(("create-replacement", "web")) < steps.index(("delete-replaced", "web"))
    assert ("create-replacement", "https") in steps
    assert ("update", "net") not in steps
    [group] = [item for item in workbench.inventory() if item["type"] == "security-group"]
    assert group["id"] == workbench.resource("web")["id"] != before
    assert workbench.orphans() == []


def test_replacement_of_a_fixed_name_deletes_first_when_told(workbench: Workbench) -> None:
    program = """
aws.ecr.Repository(
    "order", name="shop/order", encryption_configurations=[{"encryption_type": "KIND"}],
    opts=options(delete_before_replace=True),
)
"""
    workbench.program(program.replace("KIND", "AES256"))
    workbench.must_up()

    workbench.program(program.replace("KIND", "KMS"))
    steps = steps_of(workbench.must_up())

    assert steps.index(("delete-replaced", "order")) < steps.index(("create-replacement", "order"))
    [shown] = workbench.client("ecr").describe_repositories()["repositories"]
    assert shown["encryptionConfiguration"]["encryptionType"] == "KMS"


def test_imported_resources_have_no_difference_afterwards(workbench: Workbench) -> None:
    """What a person made by hand comes under Pulumi, and the program says the same as AWS."""
    tags = {"Project": "shop", "Environment": "prod"}
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    ec2, logs, iam = (workbench.client(service) for service in ("ec2", "logs", "iam"))
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": pairs}])[
        "Vpc"
    ]["VpcId"]
    logs.create_log_group(logGroupName="/by/hand", tags=tags)
    logs.put_retention_policy(logGroupName="/by/hand", retentionInDays=7)
    policy = '{"Version":"2012-10-17","Statement":[]}'
    iam.create_role(RoleName="by-hand", AssumeRolePolicyDocument=policy, Tags=pairs)
    topic = workbench.client("sns").create_topic(Name="by-hand", Tags=pairs)["TopicArn"]
    program = f"""
def found(id):
    return options(import_=id) if shop.get("importing") else options()

aws.ec2.Vpc("net", cidr_block="10.9.0.0/16", opts=found({vpc!r}))
aws.cloudwatch.LogGroup("logs", name="/by/hand", retention_in_days=7, opts=found("/by/hand"))
aws.iam.Role("role", name="by-hand", assume_role_policy={policy!r}, opts=found("by-hand"))
aws.sns.Topic("topic", name="by-hand", opts=found({topic!r}))
"""
    workbench.program(program)
    workbench.settings(importing=True)

    imported = workbench.must_up()
    workbench.settings()
    afterwards = workbench.must_up()

    names = {"net", "logs", "role", "topic"}
    assert {step for step in steps_of(imported) if step[1] in names} == {("import", name) for name in names}
    assert steps_of(afterwards) == []
    assert workbench.orphans() == []


def test_import_of_what_differs_is_refused_and_says_where(workbench: Workbench) -> None:
    vpc = workbench.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    workbench.program(f'aws.ec2.Vpc("net", cidr_block="10.8.0.0/16", opts=options(import_={vpc!r}))')

    outcome = workbench.up()

    assert outcome.exit_code != 0
    assert "cidrBlock" in " ".join(outcome.progress.messages) + outcome.log.read_text()
    [shown] = workbench.client("ec2").describe_vpcs(VpcIds=[vpc])["Vpcs"]
    assert shown["CidrBlock"] == "10.9.0.0/16"


def test_import_of_what_is_not_there_is_refused(workbench: Workbench) -> None:
    missing = "vpc-0123456789abcdef0"
    workbench.program(f'aws.ec2.Vpc("net", cidr_block="10.8.0.0/16", opts=options(import_={missing!r}))')

    outcome = workbench.up()

    assert outcome.exit_code != 0
    assert missing in str(outcome.failures())


def test_renaming_with_an_alias_keeps_the_resource(workbench: Workbench) -> None:
    workbench.program('aws.sns.Topic("old", name="alarms", opts=options())')
    workbench.must_up()
    before = workbench.resource("old")["id"]

    workbench.program('aws.sns.Topic("new", name="alarms", opts=options(aliases=[pulumi.Alias(name="old")]))')
    renamed = workbench.must_up()

    assert steps_of(renamed) == []
    assert workbench.resource("new")["id"] == before


def test_a_resource_stands_in_its_own_region_and_moves_by_replacement(workbench: Workbench) -> None:
    workbench.program(LOGS.replace("ARGUMENTS", 'dict(region="us-west-2")'))
    workbench.must_up()

    [west] = workbench.inventory()
    assert west["region"] == "us-west-2"
    assert west["tags"]["Project"] == "shop"
    assert workbench.client("logs", "us-east-1").describe_log_groups()["logGroups"] == []

    workbench.program(LOGS.replace("ARGUMENTS", "{}"))
    moved = workbench.must_up()

    assert ("create-replacement", "requests") in steps_of(moved)
    [east] = workbench.inventory()
    assert east["region"] == "us-east-1"


def test_what_leaves_the_program_leaves_aws(workbench: Workbench) -> None:
    workbench.program(GROUPS)
    workbench.must_up()

    workbench.program('vpc = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", opts=options())')
    workbench.must_up()

    assert [item["type"] for item in workbench.inventory()] == ["vpc"]


def test_unknown_outputs_flow_through_a_preview(workbench: Workbench) -> None:
    """What AWS will only answer in `up` is unknown in the preview, and refuses nothing there."""
    workbench.program(GROUPS + 'pulumi.export("name", web.arn.apply(lambda arn: arn.rsplit("/", 1)[-1]))\n')

    promised = workbench.preview()
    done = workbench.must_up()

    assert {(step["op"], step["urn"]) for step in promised["steps"]} == {
        ("create", record["urn"]) for record in workbench.state().resources
    }
    assert len(steps_of(done)) == len(promised["steps"])


def test_a_gateway_that_lost_its_vpc_is_attached_again(workbench: Workbench) -> None:
    """So does one whose plugin was killed between making and attaching it, once it has been adopted."""
    workbench.program(
        'vpc = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", opts=options())\n'
        'aws.ec2.InternetGateway("internet", vpc_id=vpc.id, opts=options())'
    )
    workbench.must_up()
    vpc, gateway = workbench.resource("net")["id"], workbench.resource("internet")["id"]
    ec2 = workbench.client("ec2")
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)

    repaired = workbench.must_up("--refresh")

    assert ("update", "internet") in steps_of(repaired)
    [shown] = ec2.describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"]
    assert [each["VpcId"] for each in shown["Attachments"]] == [vpc]
