"""The topic that alarms and database events notify."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class AlarmTopicArgs:
    """What the topic needs.

    Attributes:
        key_arn: KMS key of the `operations` data class; its policy must let CloudWatch and RDS events use it.
        account_id: Account whose alarms and database events may publish.
        emails: Addresses that are told; AWS asks each of them to confirm first.
    """

    key_arn: pulumi.Input[str]
    account_id: pulumi.Input[str]
    emails: Sequence[str] = ()


class AlarmTopic(pulumi.ComponentResource):
    """An encrypted SNS topic that CloudWatch and RDS of this account may publish to, over TLS.

    Attributes:
        topic_arn: ARN of the topic, known once its policy stands.
    """

    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AlarmTopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:observability:AlarmTopic", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(
            f"{name}-topic",
            display_name="CloudCommerce alarms",
            kms_master_key_id=args.key_arn,
            tags={"Name": f"{name}-topic"},
            opts=child,
        )
        policy = aws.sns.TopicPolicy(
            f"{name}-policy",
            arn=topic.arn,
            policy=pulumi.Output.all(topic=topic.arn, account=args.account_id).apply(
                lambda known: topic_policy(topic_arn=known["topic"], account_id=known["account"])
            ),
            opts=child,
        )
        for email in args.emails:
            aws.sns.TopicSubscription(
                f"{name}-{email}", topic=topic.arn, protocol="email", endpoint=email, opts=child
            )
        self.topic_arn = policy.arn
        self.register_outputs({"topic_arn": self.topic_arn})


def topic_policy(*, topic_arn: str, account_id: str) -> str:
    """The topic's policy as JSON.

    https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html and
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Events.GrantingPermissions.html

    Args:
        topic_arn: The topic.
        account_id: Only alarms and databases of this account may publish, lest others do through the service.
    """
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "AlarmsAndDatabaseEvents",
                    "Effect": "Allow",
                    "Principal": {"Service": ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"]},
                    "Action": "sns:Publish",
                    "Resource": topic_arn,
                    "Condition": {"StringEquals": {"aws:SourceAccount": account_id}},
                },
                {
                    "Sid": "TlsOnly",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "sns:Publish",
                    "Resource": topic_arn,
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
            ],
        }
    )
