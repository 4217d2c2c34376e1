"""Flow logs: who talked to whom in the VPC, kept encrypted."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class FlowLogsArgs:
    """What is logged and for how long.

    Attributes:
        vpc_id: The VPC whose traffic is logged, accepted and rejected.
        logs_key_arn: KMS key of the `operations` data class.
        account_id: The account whose flow logs may write.
        region: The VPC's region.
        retention_days: Days that records are kept; one of the values CloudWatch Logs takes.
    """

    vpc_id: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    account_id: pulumi.Input[str]
    region: str
    retention_days: int = 365


class FlowLogs(pulumi.ComponentResource):
    """A flow log of all traffic, in an encrypted log group that only the flow log service writes to.

    Attributes:
        log_group_name: Where the records are.
        flow_log_id: Identifier of the flow log.
    """

    log_group_name: pulumi.Output[str]
    flow_log_id: pulumi.Output[str]

    def __init__(self, name: str, args: FlowLogsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:network:FlowLogs", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        group = aws.cloudwatch.LogGroup(
            name,
            kms_key_id=args.logs_key_arn,
            retention_in_days=args.retention_days,
            tags={"Name": name},
            opts=child,
        )
        role_name = f"{name}-writer"
        role = aws.iam.Role(
            role_name,
            assume_role_policy=pulumi.Output.from_input(args.account_id).apply(
                lambda account_id: trust_policy(account_id, args.region)
            ),
            tags={"Name": role_name},
            opts=child,
        )
        policy = aws.iam.RolePolicy(
            role_name, role=role.name, policy=group.arn.apply(writer_policy), opts=child
        )
        flow_log = aws.ec2.FlowLog(
            name,
            vpc_id=args.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            # One-minute records; the default of ten is too coarse to follow an incident.
            max_aggregation_interval=60,
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.log_group_name = group.name
        self.flow_log_id = flow_log.id
        self.register_outputs({output: getattr(self, output) for output in FlowLogs.__annotations__})


def trust_policy(account_id: str, region: str) -> str:
    """Let the flow log service assume the writer role for this account's flow logs only.

    The conditions keep other accounts from using the service as a confused deputy:
    https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
    """
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {
            "StringEquals": {"aws:SourceAccount": account_id},
            "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:{region}:{account_id}:vpc-flow-log/*"},
        },
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def writer_policy(log_group_arn: str) -> str:
    """Let the writer role append to one log group."""
    statement = {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        "Resource": [log_group_arn, f"{log_group_arn}:*"],
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
