"""Data: the stores and the broker, each open to the workloads only, and the rotation of their passwords."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pulumi

from components.data.document_db import DocumentDb, DocumentDbArgs
from components.data.postgres import Postgres, PostgresArgs
from components.data.postgres_proxy import PostgresProxy, PostgresProxyArgs
from components.data.valkey import Valkey, ValkeyArgs
from components.messaging.rabbitmq import RabbitMq, RabbitMqArgs
from components.secrets.rotation import Rotation, RotationArgs
from stacks.foundation import Foundation
from stacks.production_args import ProductionArgs

# Which service owns what in which store: each gets a user of its own that reaches nothing else.
POSTGRES_DATABASES: Mapping[str, str] = MappingProxyType({"order": "orders", "product": "products"})
DOCUMENT_DATABASES: Mapping[str, str] = MappingProxyType({"user": "users"})
VALKEY_PREFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"order": ("order:", "session:"), "product": ("product:",), "user": ("session:", "user:")}
)
RABBITMQ_VHOSTS: Mapping[str, str] = MappingProxyType({"notification": "commerce", "order": "commerce"})


@dataclass(frozen=True, kw_only=True)
class Data:
    """Where the services keep what they know, and through what they talk."""

    postgres: Postgres
    postgres_proxy: PostgresProxy
    document_db: DocumentDb
    valkey: Valkey
    rabbitmq: RabbitMq
    rotation: Rotation


def data(base: Foundation, args: ProductionArgs, opts: pulumi.ResourceOptions) -> Data:
    """Stand up the data stores in the isolated subnets.

    Args:
        base: The network and the keys.
        args: Classes, versions and protection.
        opts: Carries the AWS provider.
    """
    postgres = _postgres(base, args, opts)
    document_db = _document_db(base, args, opts)
    valkey = _valkey(base, args, opts)
    rabbitmq = _rabbitmq(base, args, opts)
    stores: tuple[Postgres | DocumentDb | Valkey | RabbitMq, ...] = (postgres, document_db, valkey, rabbitmq)
    return Data(
        postgres=postgres,
        postgres_proxy=_postgres_proxy(postgres, base, args, opts),
        document_db=document_db,
        valkey=valkey,
        rabbitmq=rabbitmq,
        rotation=Rotation(
            "rotation",
            RotationArgs(
                targets={name: target for store in stores for name, target in store.rotation_targets.items()},
                account_id=args.account_id,
                vpc_id=base.vpc.vpc_id,
                subnet_ids=base.vpc.private_subnet_ids,
                secrets_key_arn=base.keys.secrets.key_arn,
                logs_key_arn=base.keys.operations.key_arn,
                log_retention_days=args.log_retention_days,
            ),
            opts,
        ),
    )


def _clients(base: Foundation) -> dict[str, pulumi.Output[str]]:
    return {"workloads": base.workloads.security_group_id}


def _postgres(base: Foundation, args: ProductionArgs, opts: pulumi.ResourceOptions) -> Postgres:
    plan = args.data.postgres
    return Postgres(
        "postgres",
        PostgresArgs(
            vpc_id=base.vpc.vpc_id,
            subnet_ids=base.vpc.data_subnet_ids,
            client_security_group_ids=_clients(base),
            instance_class=plan.instance_class,
            engine_version=plan.engine_version,
            allocated_storage=plan.allocated_storage,
            max_allocated_storage=plan.max_allocated_storage,
            data_key_arn=base.keys.commerce.key_arn,
            logs_key_arn=base.keys.operations.key_arn,
            secrets_key_arn=base.keys.secrets.key_arn,
            deletion_protection=args.deletion_protection,
            protect=args.deletion_protection,
            backup_retention_days=args.data.backup_retention_days,
            log_retention_days=args.log_retention_days,
        ),
        opts,
    )


def _postgres_proxy(
    postgres: Postgres, base: Foundation, args: ProductionArgs, opts: pulumi.ResourceOptions
) -> PostgresProxy:
    return PostgresProxy(
        "postgres-proxy",
        PostgresProxyArgs(
            vpc_id=base.vpc.vpc_id,
            subnet_ids=base.vpc.data_subnet_ids,
            client_security_group_ids=_clients(base),
            instance_identifier=postgres.instance_identifier,
            instance_security_group_id=postgres.security_group_id,
            reader_address=postgres.reader_address,
            services=POSTGRES_DATABASES,
            secrets_key_arn=base.keys.secrets.key_arn,
            protect=args.deletion_protection,
        ),
        opts,
    )


def _document_db(base: Foundation, args: ProductionArgs, opts: pulumi.ResourceOptions) -> DocumentDb:
    return DocumentDb(
        "document-db",
        DocumentDbArgs(
            vpc_id=base.vpc.vpc_id,
            subnet_ids=base.vpc.data_subnet_ids,
            zones=args.network.zones,
            client_security_group_ids=_clients(base),
            instance_class=args.data.document_db_class,
            engine_version=args.data.document_db_version,
            data_key_arn=base.keys.customer.key_arn,
            logs_key_arn=base.keys.operations.key_arn,
            secrets_key_arn=base.keys.secrets.key_arn,
            services=DOCUMENT_DATABASES,
            deletion_protection=args.deletion_protection,
            protect=args.deletion_protection,
            backup_retention_days=args.data.backup_retention_days,
            log_retention_days=args.log_retention_days,
        ),
        opts,
    )


def _valkey(base: Foundation, args: ProductionArgs, opts: pulumi.ResourceOptions) -> Valkey:
    return Valkey(
        "valkey",
        ValkeyArgs(
            vpc_id=base.vpc.vpc_id,
            subnet_ids=base.vpc.data_subnet_ids,
            zones=args.network.zones,
            client_security_group_ids=_clients(base),
            node_type=args.data.valkey_node_type,
            engine_version=args.data.valkey_version,
            data_key_arn=base.keys.customer.key_arn,
            logs_key_arn=base.keys.operations.key_arn,
            secrets_key_arn=base.keys.secrets.key_arn,
            services=VALKEY_PREFIXES,
            protect=args.deletion_protection,
            snapshot_retention_days=args.data.backup_retention_days,
            log_retention_days=args.log_retention_days,
        ),
        opts,
    )


def _rabbitmq(base: Foundation, args: ProductionArgs, opts: pulumi.ResourceOptions) -> RabbitMq:
    return RabbitMq(
        "rabbitmq",
        RabbitMqArgs(
            vpc_id=base.vpc.vpc_id,
            subnet_ids=base.vpc.data_subnet_ids,
            client_security_group_ids=_clients(base),
            instance_type=args.data.rabbitmq_type,
            engine_version=args.data.rabbitmq_version,
            data_key_arn=base.keys.operations.key_arn,
            secrets_key_arn=base.keys.secrets.key_arn,
            services=RABBITMQ_VHOSTS,
            protect=args.deletion_protection,
        ),
        opts,
    )
