"""The customer-managed KMS key of one data class."""

from collections.abc import Collection
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.security.key_policy import KeyUse, key_policy

# The longest that KMS offers: a key deleted by mistake takes all its data along.
DELETION_WINDOW_DAYS = 30


@dataclass(frozen=True, kw_only=True)
class DataKeyArgs:
    """What a key protects and who uses it.

    Attributes:
        description: What the key protects, for people.
        account_id: The account that owns the key.
        region: The key's region.
        uses: What services of AWS may do with it in their own name.
        protect: Whether Pulumi refuses to delete the key.
    """

    description: str
    account_id: pulumi.Input[str]
    region: str
    uses: Collection[KeyUse] = ()
    protect: bool = True


class DataKey(pulumi.ComponentResource):
    """A symmetric key that rotates every year, with an alias.

    Attributes:
        key_arn: ARN of the key.
        key_id: Identifier of the key.
        alias_name: Its alias, under which people find it.
    """

    key_arn: pulumi.Output[str]
    key_id: pulumi.Output[str]
    alias_name: pulumi.Output[str]

    def __init__(self, name: str, args: DataKeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:security:DataKey", name, None, opts)
        key = aws.kms.Key(
            name,
            description=args.description,
            enable_key_rotation=True,
            deletion_window_in_days=DELETION_WINDOW_DAYS,
            policy=pulumi.Output.from_input(args.account_id).apply(
                lambda account_id: key_policy(account_id, args.region, args.uses)
            ),
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        alias = aws.kms.Alias(name, target_key_id=key.key_id, opts=pulumi.ResourceOptions(parent=self))
        self.key_arn = key.arn
        self.key_id = key.key_id
        self.alias_name = alias.name
        self.register_outputs({output: getattr(self, output) for output in DataKey.__annotations__})
