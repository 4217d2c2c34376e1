"""The small fixed stack of the tests: the product's own components, few enough to come up in seconds.

`shop` in the stack file changes it: `tags` are further default tags, `zones` and `images` make it larger or
smaller, `retention` is the log group's.
"""

import json

import pulumi
import pulumi_aws as aws

from components.network.vpc import Vpc, VpcArgs
from components.registry.image_repository import ImageRepository, ImageRepositoryArgs
from components.secrets.credential import Credential, CredentialArgs
from components.security.data_key import DataKey, DataKeyArgs
from components.security.key_policy import KeyUse

REGION = "us-east-1"
shop = pulumi.Config().get_object("shop") or {}
protect = bool(shop.get("protect"))
tags = {"Project": pulumi.get_project(), "Environment": pulumi.get_stack(), **shop.get("tags", {})}
provider = aws.Provider("aws", region=REGION, default_tags=aws.ProviderDefaultTagsArgs(tags=tags))
opts = pulumi.ResourceOptions(provider=provider)
account = aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider)).account_id

key = DataKey(
    "operations",
    DataKeyArgs(
        description="Everything", account_id=account, region=REGION, uses=list(KeyUse), protect=protect
    ),
    opts,
)
vpc = Vpc(
    "core",
    VpcArgs(
        cidr=shop.get("cidr", "10.20.0.0/16"),
        zones=[f"{REGION}{letter}" for letter in shop.get("zones", "ab")],
        nat_per_zone=False,
    ),
    opts,
)
for image in shop.get("images", ["order", "user"]):
    ImageRepository(
        f"image-{image}",
        ImageRepositoryArgs(
            repository_name=f"shop/{image}", key_arn=key.key_arn, protect=protect, force_delete=True
        ),
        opts,
    )
credential = Credential(
    "database",
    CredentialArgs(engine="postgres", username="shop", secrets_key_arn=key.key_arn, protect=protect),
    opts,
)
credential.attach(host="database.example", port=5432, resource_id="database")
logs = aws.cloudwatch.LogGroup(
    "requests",
    retention_in_days=shop.get("retention", 30),
    kms_key_id=key.key_arn,
    tags={"Name": "requests"},
    opts=opts,
)
role = aws.iam.Role(
    "reader",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
    ),
    tags={"Name": "reader"},
    opts=opts,
)
aws.iam.RolePolicy(
    "reader",
    role=role.name,
    policy=logs.arn.apply(
        lambda arn: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "logs:GetLogEvents", "Resource": f"{arn}:*"}],
            }
        )
    ),
    opts=opts,
)
topic = aws.sns.Topic("alarms", kms_master_key_id=key.key_id, tags={"Name": "alarms"}, opts=opts)
group = aws.ec2.SecurityGroup("web", vpc_id=vpc.vpc_id, description="Web", tags={"Name": "web"}, opts=opts)
aws.vpc.SecurityGroupIngressRule(
    "web-https",
    security_group_id=group.id,
    ip_protocol="tcp",
    from_port=443,
    to_port=443,
    cidr_ipv4="10.20.0.0/16",
    tags={"Name": "web-https"},
    opts=opts,
)
pulumi.export("vpcId", vpc.vpc_id)
pulumi.export("secretArn", credential.secret_arn)
pulumi.export("keyArn", key.key_arn)
