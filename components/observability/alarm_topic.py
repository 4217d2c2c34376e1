"""The topic that alarms and database events notify."""

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class AlarmTopicArgs:
    """What the topic needs.

    Attributes:
        key_arn: KMS key of the `operations` data class.
        account_id: Account whose alarms and database events may publish.
    """

    key_arn: pulumi.Input[str]
    account_id: pulumi.Input[str]


class AlarmTopic(pulumi.ComponentResource):
    """An encrypted SNS topic that CloudWatch and RDS of this account may publish to.

    Attributes:
        topic_arn: ARN of the topic.
    """

    topic_arn: pulumi.Output[str]

    def __init__(self, name: str, args: AlarmTopicArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:observability:AlarmTopic", name, None, opts)
