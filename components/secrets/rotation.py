"""The function that rotates the stores' credentials every thirty days."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from components.network.access import admit
from components.secrets.credential import Engine
from components.secrets.rotation_policy import rotation_policy
from components.secrets.trust import trust_policy

_CODE = Path(__file__).parent / "rotation_function"
_HTTPS = 443
_TIMEOUT_SECONDS = 600
"""The test step waits up to five minutes for the store and one step must never outlive its waiting."""


@dataclass(frozen=True, kw_only=True)
class RotationTarget:
    """One secret to rotate and the thing that its password opens.

    Attributes:
        engine: The store's engine.
        secret_arn: The secret; known only once it has a value, so that nothing rotates an empty one.
        resource_arn: RDS instance, DocumentDB cluster, ElastiCache user or Amazon MQ broker.
        security_group_id: Group of a store that is changed over the network and not by an AWS interface; the
            function is admitted to it on 443.
    """

    engine: Engine
    secret_arn: pulumi.Input[str]
    resource_arn: pulumi.Input[str]
    security_group_id: pulumi.Input[str] | None = None


@dataclass(frozen=True, kw_only=True)
class RotationArgs:
    """What is rotated and how often.

    Attributes:
        targets: Secrets by name (`postgres-master`); every store offers its own as `rotation_targets`.
        account_id: Account whose Secrets Manager may invoke the function.
        vpc_id: Network of the broker, in which the function runs.
        subnet_ids: Private subnets from which the AWS interfaces can be reached (NAT or endpoints).
        secrets_key_arn: KMS key of the `secrets` data class.
        logs_key_arn: KMS key of the `operations` data class.
        interval_days: Days between rotations, 1 to 1000.
        log_retention_days: Days that the function's log is kept.
    """

    targets: Mapping[str, RotationTarget]
    account_id: pulumi.Input[str]
    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    secrets_key_arn: pulumi.Input[str]
    logs_key_arn: pulumi.Input[str]
    interval_days: int = 30
    log_retention_days: int = 365


class Rotation(pulumi.ComponentResource):
    """One Lambda function, its least-privilege role and a schedule for every secret.

    The function needs no package beyond the runtime, so its archive is this repository's text and nothing is
    built. It sets a store's password through the AWS interface of the store and a broker's through the
    broker's own. The first rotation comes an interval after the secret was made: `up` never waits for one.

    Attributes:
        function_arn: ARN of the function.
        function_name: Name of the function, dimension of its metrics.
        role_arn: ARN of its role.
    """

    function_arn: pulumi.Output[str]
    function_name: pulumi.Output[str]
    role_arn: pulumi.Output[str]

    def __init__(self, name: str, args: RotationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:secrets:Rotation", name, None, opts)
        self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        log_group = aws.cloudwatch.LogGroup(
            f"{name}-log",
            kms_key_id=args.logs_key_arn,
            retention_in_days=args.log_retention_days,
            tags={"Name": f"{name}-log"},
            opts=self._child,
        )
        role, policy = self._role(log_group.arn)
        security_group, ways = self._security_group()
        function = self._function(role, policy, log_group.name, security_group)
        permission = aws.lambda_.Permission(
            f"{name}-invocation",
            action="lambda:InvokeFunction",
            function=function.name,
            principal="secretsmanager.amazonaws.com",
            source_account=args.account_id,
            opts=self._child,
        )
        for target_name, target in args.targets.items():
            aws.secretsmanager.SecretRotation(
                f"{name}-{target_name}",
                secret_id=target.secret_arn,
                rotation_lambda_arn=function.arn,
                rotate_immediately=False,
                rotation_rules={"automatically_after_days": args.interval_days},
                # Secrets Manager runs the test step at once, so the function must reach its store by then.
                opts=pulumi.ResourceOptions(parent=self, depends_on=[permission, *ways]),
            )
        self.function_arn = function.arn
        self.function_name = function.name
        self.role_arn = role.arn
        self.register_outputs(
            {
                "function_arn": self.function_arn,
                "function_name": self.function_name,
                "role_arn": self.role_arn,
            }
        )

    def _role(self, log_group_arn: pulumi.Output[str]) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        args, name = self._args, self._name
        role = aws.iam.Role(
            f"{name}-role",
            description="Rotates the credentials of the data stores",
            assume_role_policy=trust_policy("lambda.amazonaws.com"),
            tags={"Name": f"{name}-role"},
            opts=self._child,
        )
        targets = list(args.targets.values())
        engines = [target.engine for target in targets]
        document = pulumi.Output.all(
            resource_arns=[target.resource_arn for target in targets],
            secret_arns=[target.secret_arn for target in targets],
            secrets_key_arn=args.secrets_key_arn,
            log_group_arn=log_group_arn,
        ).apply(
            lambda known: rotation_policy(
                resources=list(zip(engines, known["resource_arns"], strict=True)),
                secret_arns=known["secret_arns"],
                secrets_key_arn=known["secrets_key_arn"],
                log_group_arn=known["log_group_arn"],
            )
        )
        return role, aws.iam.RolePolicy(f"{name}-policy", role=role.id, policy=document, opts=self._child)

    def _function(
        self,
        role: aws.iam.Role,
        policy: aws.iam.RolePolicy,
        log_group_name: pulumi.Output[str],
        security_group: aws.ec2.SecurityGroup,
    ) -> aws.lambda_.Function:
        args, name = self._args, self._name
        return aws.lambda_.Function(
            f"{name}-function",
            description="Rotates the credentials of the data stores",
            runtime="python3.13",
            architectures=["arm64"],
            handler="rotation_function.handler.handle",
            code=function_code(),
            role=role.arn,
            timeout=_TIMEOUT_SECONDS,
            memory_size=256,
            # The key encrypts the environment, so there is one: throttled calls back off inside the step.
            environment={"variables": {"AWS_RETRY_MODE": "standard"}},
            kms_key_arn=args.secrets_key_arn,
            logging_config={"log_format": "JSON", "log_group": log_group_name},
            vpc_config={
                "subnet_ids": list(args.subnet_ids),
                "security_group_ids": [security_group.id],
            },
            tags={"Name": f"{name}-function"},
            # Without the policy it could not make its network interfaces.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )

    def _security_group(self) -> tuple[aws.ec2.SecurityGroup, list[pulumi.Resource]]:
        """The function's group, and the rules that open its ways to AWS and to the stores."""
        args, name = self._args, self._name
        group = aws.ec2.SecurityGroup(
            f"{name}-security-group",
            description="The rotation function; nobody may connect to it",
            vpc_id=args.vpc_id,
            tags={"Name": f"{name}-security-group"},
            opts=self._child,
        )
        out = aws.vpc.SecurityGroupEgressRule(
            f"{name}-https",
            security_group_id=group.id,
            cidr_ipv4="0.0.0.0/0",
            ip_protocol="tcp",
            from_port=_HTTPS,
            to_port=_HTTPS,
            description="AWS interfaces, and brokers by their management interface",
            tags={"Name": f"{name}-https"},
            opts=self._child,
        )
        into = [
            admit(
                f"{name}-to-{target_name}",
                parent=self,
                security_group_id=target.security_group_id,
                client_security_group_id=group.id,
                port=_HTTPS,
            )
            for target_name, target in args.targets.items()
            if target.security_group_id is not None
        ]
        return group, [out, *into]


def function_code() -> pulumi.AssetArchive:
    """The function's archive: the text of its modules, and no path of the machine that deploys it."""
    return pulumi.AssetArchive(
        {
            f"{_CODE.name}/{module.name}": pulumi.StringAsset(module.read_text(encoding="utf-8"))
            for module in sorted(_CODE.glob("*.py"))
        }
    )
