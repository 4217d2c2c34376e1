"""RDS Proxy: pooled connections of the services to the PostgreSQL primary."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.data.postgres import PORT
from components.data.proxy_policy import proxy_policy
from components.network.access import admit, store_security_group
from components.secrets.credential import Credential, CredentialArgs
from components.secrets.trust import trust_policy

_IDLE_CLIENT_SECONDS = 1800
_BORROW_SECONDS = 30
"""A request that waits longer for a connection has been given up by its caller."""


@dataclass(frozen=True, kw_only=True)
class PostgresProxyArgs:
    """What the proxy needs.

    Attributes:
        vpc_id: The network.
        subnet_ids: Isolated subnets, one in each zone.
        client_security_group_ids: Who may connect on 5432, by a short stable name.
        instance_identifier: The primary instance.
        instance_security_group_id: Group of the primary; the proxy is admitted to it.
        reader_address: Host name of the read replica, told to the services beside the proxy's.
        services: Database of each service that connects (`{"product": "product", "order": "orders"}`).
        secrets_key_arn: KMS key of the `secrets` data class.
        protect: Whether Pulumi refuses to delete the services' secrets.
        max_connections_percent: Share of the instance's `max_connections` the pool may take.
    """

    vpc_id: pulumi.Input[str]
    subnet_ids: Sequence[pulumi.Input[str]]
    client_security_group_ids: Mapping[str, pulumi.Input[str]]
    instance_identifier: pulumi.Input[str]
    instance_security_group_id: pulumi.Input[str]
    reader_address: pulumi.Input[str]
    services: Mapping[str, str]
    secrets_key_arn: pulumi.Input[str]
    protect: bool
    max_connections_percent: int = 80

    def __post_init__(self) -> None:
        if not self.services:
            raise ValueError("the proxy serves nobody: name the services and the database of each")


class PostgresProxy(pulumi.ComponentResource):
    """A TLS-only proxy that logs in with one secret per service.

    It pools connections to the primary. RDS gives a reader endpoint to the proxies of Aurora and of Multi-AZ
    clusters only, so services read from the replica directly, whose address their secrets carry as
    `reader_host` (docs/decisions/, "no reader endpoint on the proxy").
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-endpoints.html

    Attributes:
        endpoint: Host name of the proxy (read and write).
        proxy_name: Name of the proxy.
        proxy_arn: ARN of the proxy.
        security_group_id: Group of the proxy.
        service_secret_arns: Secret of each service's user, by service.
    """

    endpoint: pulumi.Output[str]
    proxy_name: pulumi.Output[str]
    proxy_arn: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    service_secret_arns: pulumi.Output[Mapping[str, str]]

    def __init__(
        self, name: str, args: PostgresProxyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloudcommerce:data:PostgresProxy", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        credentials = {
            service: Credential(
                f"{name}-{service}",
                CredentialArgs(
                    engine="postgres",
                    username=f"{service}_service",
                    secrets_key_arn=args.secrets_key_arn,
                    protect=args.protect,
                ),
                self._child,
            )
            for service in args.services
        }
        group = self._security_group(name, args)
        proxy = self._proxy(name, args, credentials, group)
        for service, credential in credentials.items():
            credential.attach(
                host=proxy.endpoint,
                port=PORT,
                resource_id=args.instance_identifier,
                extra={"dbname": args.services[service], "reader_host": args.reader_address},
            )
        self.endpoint = proxy.endpoint
        self.proxy_name = proxy.name
        self.proxy_arn = proxy.arn
        self.security_group_id = group.id
        self.service_secret_arns = pulumi.Output.all(
            **{service: credential.secret_arn for service, credential in credentials.items()}
        )
        self.register_outputs(
            {
                "endpoint": self.endpoint,
                "proxy_name": self.proxy_name,
                "proxy_arn": self.proxy_arn,
                "security_group_id": self.security_group_id,
                "service_secret_arns": self.service_secret_arns,
            }
        )

    def _security_group(self, name: str, args: PostgresProxyArgs) -> aws.ec2.SecurityGroup:
        group = store_security_group(
            name,
            parent=self,
            description="RDS Proxy: the services in, PostgreSQL out",
            vpc_id=args.vpc_id,
            ports={"postgres": PORT},
            clients=args.client_security_group_ids,
        )
        aws.vpc.SecurityGroupEgressRule(
            f"{name}-to-instance",
            security_group_id=group.id,
            referenced_security_group_id=args.instance_security_group_id,
            ip_protocol="tcp",
            from_port=PORT,
            to_port=PORT,
            description="Pooled connections to the primary",
            tags={"Name": f"{name}-to-instance"},
            opts=self._child,
        )
        admit(
            f"{name}-into-instance",
            parent=self,
            security_group_id=args.instance_security_group_id,
            client_security_group_id=group.id,
            port=PORT,
        )
        return group

    def _proxy(
        self,
        name: str,
        args: PostgresProxyArgs,
        credentials: Mapping[str, Credential],
        group: aws.ec2.SecurityGroup,
    ) -> aws.rds.Proxy:
        role = aws.iam.Role(
            f"{name}-role",
            description="Lets RDS Proxy read the services' database credentials",
            assume_role_policy=trust_policy("rds.amazonaws.com"),
            tags={"Name": f"{name}-role"},
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            f"{name}-policy",
            role=role.id,
            policy=pulumi.Output.all(
                arns=[credential.secret_arn for credential in credentials.values()], key=args.secrets_key_arn
            ).apply(lambda known: proxy_policy(secret_arns=known["arns"], secrets_key_arn=known["key"])),
            opts=self._child,
        )
        proxy = aws.rds.Proxy(
            f"{name}-proxy",
            engine_family="POSTGRESQL",
            role_arn=role.arn,
            require_tls=True,
            idle_client_timeout=_IDLE_CLIENT_SECONDS,
            # It would write the statements of every client into a log.
            debug_logging=False,
            vpc_subnet_ids=list(args.subnet_ids),
            vpc_security_group_ids=[group.id],
            auths=[
                {
                    "auth_scheme": "SECRETS",
                    "client_password_auth_type": "POSTGRES_SCRAM_SHA_256",
                    "description": service,
                    "iam_auth": "DISABLED",
                    "secret_arn": credential.secret_arn,
                }
                for service, credential in credentials.items()
            ],
            tags={"Name": f"{name}-proxy"},
            # RDS silently leaves out a subnet in a zone where it has no proxies (use1-az3), for which the
            # provider would replace the proxy at every `up`.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy], ignore_changes=["vpcSubnetIds"]),
        )
        targets = aws.rds.ProxyDefaultTargetGroup(
            f"{name}-targets",
            db_proxy_name=proxy.name,
            connection_pool_config={
                "connection_borrow_timeout": _BORROW_SECONDS,
                "max_connections_percent": args.max_connections_percent,
                # Half of the pool stays warm for the next wave.
                "max_idle_connections_percent": args.max_connections_percent // 2,
            },
            opts=self._child,
        )
        aws.rds.ProxyTarget(
            f"{name}-target",
            db_proxy_name=proxy.name,
            target_group_name=targets.name,
            db_instance_identifier=args.instance_identifier,
            opts=self._child,
        )
        return proxy
