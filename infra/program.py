"""The program: settings → stack → audit outputs."""

import pulumi
import pulumi_aws as aws
from pulumi.runtime import config as engine_config

from infra.audit import audit_document
from infra.settings import Settings
from infra.settings_document import SettingsError, read_settings
from stacks.production import Production, production
from stacks.production_args import DataPlan, NetworkPlan, PostgresPlan, ProductionArgs, RegistryPlan


def run() -> None:
    """Register the stack that the stack file describes, and its outputs."""
    settings = load_settings()
    provider = aws_provider(settings)
    args = production_args(settings, account_id(settings, provider))
    export(production(args, pulumi.ResourceOptions(provider=provider)))


def load_settings() -> Settings:
    """Read the stack's settings from the engine.

    Raises:
        pulumi.RunError: they are wrong; shown to the user as it is, without a traceback.
    """
    # Hosts hand configuration over either way; `pulumi.Config` merges them too, but cannot list its keys, and
    # a misspelled key must not pass unseen.
    given = {**engine_config.get_config_env(), **engine_config.CONFIG.get()}
    try:
        return read_settings(Settings, given)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def aws_provider(settings: Settings) -> aws.Provider:
    """The one AWS provider: region, default tags and, when the settings name it, the only account allowed."""
    tags = settings.tags.as_tags(project=pulumi.get_project(), environment=pulumi.get_stack())
    return aws.Provider(
        "aws",
        region=settings.aws.region,
        default_tags=aws.ProviderDefaultTagsArgs(tags=tags),
        allowed_account_ids=[settings.aws.account_id] if settings.aws.account_id else None,
    )


def account_id(settings: Settings, provider: aws.Provider) -> pulumi.Input[str]:
    """The account that the stack stands in: as set, or else the one whose credentials are used."""
    if settings.aws.account_id:
        return settings.aws.account_id
    return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider)).account_id


def production_args(settings: Settings, account: pulumi.Input[str]) -> ProductionArgs:
    """Tell the stack what the settings say."""
    data = settings.data
    return ProductionArgs(
        project=pulumi.get_project(),
        account_id=account,
        region=settings.aws.region,
        network=NetworkPlan(
            cidr=settings.network.cidr,
            zones=settings.network.zones,
            nat_per_zone=settings.network.nat_per_zone,
            subnet_prefixes=settings.network.subnet_prefixes.given(),
            interface_endpoints=settings.network.interface_endpoints,
        ),
        data=DataPlan(
            backup_retention_days=data.backup_retention_days,
            postgres=PostgresPlan(
                instance_class=data.postgres.instance_class,
                engine_version=data.postgres.engine_version,
                allocated_storage=data.postgres.allocated_storage_gib,
                max_allocated_storage=data.postgres.max_allocated_storage_gib,
            ),
            document_db_class=data.document_db.instance_class,
            document_db_version=data.document_db.engine_version,
            valkey_node_type=data.valkey.node_type,
            valkey_version=data.valkey.engine_version,
            rabbitmq_type=settings.messaging.rabbit_mq.instance_type,
            rabbitmq_version=settings.messaging.rabbit_mq.engine_version,
        ),
        registry=RegistryPlan(
            images=settings.registry.images,
            keep_releases=settings.registry.keep_releases,
            untagged_days=settings.registry.untagged_days,
            build_days=settings.registry.build_days,
        ),
        log_retention_days=settings.observability.log_retention_days,
        alarm_emails=settings.observability.alarm_emails,
        deletion_protection=settings.protection.deletion_protection,
    )


def export(stack: Production) -> None:
    """Make the stack's outputs."""
    pulumi.export("audit", audit_document(stack))
    base = stack.foundation
    pulumi.export("vpcId", base.vpc.vpc_id)
    pulumi.export("natPublicIps", list(base.vpc.nat_public_ips))
    pulumi.export("imageRepositories", {i: r.repository_url for i, r in base.repositories.items()})
