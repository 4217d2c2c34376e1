"""Wrong inputs are refused by the preview, with the path of the property, before anything is made."""

import pytest

from tests.sandbox.workbench import Workbench

RAW = """
class Raw(pulumi.CustomResource):
    def __init__(self, token, name, **properties):
        super().__init__(token, name, properties, options())

"""

WRONG = {
    "unknown property": (
        'Raw("aws:ec2/vpc:Vpc", "bad", cidrBlock="10.0.0.0/16", enableDnsSuport=True)',
        "enableDnsSuport",
        "did you mean enableDnsSupport",
    ),
    "missing": ('Raw("aws:ec2/subnet:Subnet", "bad", cidrBlock="10.0.0.0/24")', "vpcId", "is required"),
    "wrong type": (
        'Raw("aws:cloudwatch/logGroup:LogGroup", "bad", retentionInDays="a month")',
        "retentionInDays",
        "got a string",
    ),
    "wrong type inside a list": (
        (
            'Raw("aws:ec2/securityGroup:SecurityGroup", "bad", vpcId="vpc-1", ingress=[dict(protocol="tcp",'
            ' fromPort=443, toPort=443), dict(protocol="tcp", fromPort=True, toPort=443)])'
        ),
        "ingress[1].fromPort",
        "got a boolean",
    ),
    "constraint of the API": (
        'aws.kms.Key("bad", description="x" * 8193, opts=options())',
        "description",
        "8192",
    ),
    "mutually exclusive": (
        (
            'aws.secretsmanager.SecretVersion("bad", secret_id="s", secret_string="a", secret_binary="YQ==",'
            " opts=options())"
        ),
        "secretBinary",
        "secretString",
    ),
    "inside an unknown": (
        (
            'vpc = aws.ec2.Vpc("net", cidr_block="10.0.0.0/16", opts=options())\n'
            'Raw("aws:ec2/subnet:Subnet", "bad", vpcId=vpc.id, cidrBlok="10.0.0.0/24")'
        ),
        "cidrBlok",
        "did you mean cidrBlock",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_preview_refuses(workbench: Workbench, case: str) -> None:
    source, path, reason = WRONG[case]
    workbench.program(RAW + source)

    done = workbench.session.engine.capture("preview", "--stack", "prod")
    printed = " ".join((done.stdout + done.stderr).split())

    assert done.returncode != 0
    assert path in printed
    assert reason in printed
    assert "bad" in printed
    assert workbench.inventory() == []


def test_secret_that_breaks_a_rule_is_not_shown(workbench: Workbench) -> None:
    workbench.program(
        'aws.kms.Key("bad", description=pulumi.Output.secret("hunter2" * 2000), opts=options())'
    )

    done = workbench.session.engine.capture("preview", "--stack", "prod")

    assert done.returncode != 0
    assert "description" in done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr
