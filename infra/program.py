"""The program: settings → stack → audit outputs."""

from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes
from pulumi.runtime import config as engine_config

from infra.audit import audit_document
from infra.cluster_settings import ClusterSettings, MainNodeGroupSettings, SpotNodeGroupSettings
from infra.environment import read_stack_settings
from infra.settings import Settings
from infra.settings_document import SettingsError
from infra.staging_settings import StagingSettings
from stacks.cluster_plan import ClusterPlan, NodeGroupPlan, PrincipalPlan
from stacks.production import Production, production
from stacks.production_args import DataPlan, NetworkPlan, PostgresPlan, ProductionArgs, RegistryPlan
from stacks.staging import Staging, StagingArgs, staging


def run() -> None:
    """Register the stack that the stack file describes, and its outputs."""
    match load_settings():
        case Settings() as settings:
            run_production(settings)
        case StagingSettings() as settings:
            run_staging(settings)


def run_production(settings: Settings) -> None:
    """Register a production stack and its outputs."""
    provider = aws_provider(settings)
    args = production_args(settings, caller(provider))
    export(production(args, pulumi.ResourceOptions(provider=provider)))


def run_staging(settings: StagingSettings) -> None:
    """Register a staging stack and its outputs."""
    provider = kubernetes_provider()
    stack = staging(staging_args(settings), pulumi.ResourceOptions(provider=provider))
    pulumi.export("namespaces", namespaces(stack))


def load_settings() -> Settings | StagingSettings:
    """Read the stack's settings from the engine.

    Raises:
        pulumi.RunError: they are wrong; shown to the user as it is, without a traceback.
    """
    # Hosts hand configuration over either way; `pulumi.Config` merges them too, but cannot list its keys, and
    # a misspelled key must not pass unseen.
    given = {**engine_config.get_config_env(), **engine_config.CONFIG.get()}
    try:
        return read_stack_settings(given)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None


def kubernetes_provider() -> kubernetes.Provider:
    """The provider of a cluster that stands already: the context of a kubeconfig on this machine.

    Raises:
        pulumi.RunError: the stack file names no context. The current one is nobody's decision.
    """
    context = pulumi.Config("kubernetes").get("context")
    if not context:
        raise pulumi.RunError(
            "kubernetes:context: missing. It takes: the context of your kubeconfig that the stack stands in, "
            "such as kind-cloudcommerce (`kubectl config get-contexts` lists them)"
        )
    return kubernetes.Provider(
        "kubernetes",
        context=context,
        # The kubeconfig lies elsewhere on the next machine; the cluster is the same.
        cluster_identifier=context,
        enable_server_side_apply=True,
    )


def aws_provider(settings: Settings) -> aws.Provider:
    """The one AWS provider: region, default tags and, when the settings name it, the only account allowed."""
    return aws.Provider(
        "aws",
        region=settings.aws.region,
        default_tags=aws.ProviderDefaultTagsArgs(tags=stack_tags(settings)),
        allowed_account_ids=[settings.aws.account_id] if settings.aws.account_id else None,
    )


def stack_tags(settings: Settings) -> dict[str, str]:
    """The tags of everything in the stack."""
    return settings.tags.as_tags(project=pulumi.get_project(), environment=pulumi.get_stack())


def caller(provider: aws.Provider) -> pulumi.Output[aws.GetCallerIdentityResult]:
    """Whose credentials are used."""
    return aws.get_caller_identity_output(opts=pulumi.InvokeOutputOptions(provider=provider))


def production_args(
    settings: Settings, deployer: pulumi.Output[aws.GetCallerIdentityResult]
) -> ProductionArgs:
    """Tell the stack what the settings say; what they leave open is as of the deployer."""
    data = settings.data
    return ProductionArgs(
        project=pulumi.get_project(),
        account_id=settings.aws.account_id or deployer.account_id,
        region=settings.aws.region,
        deployer=deployer.arn,
        network=NetworkPlan(
            cidr=settings.network.cidr,
            zones=settings.network.zones,
            nat_per_zone=settings.network.nat_per_zone,
            subnet_prefixes=settings.network.subnet_prefixes.given(),
            interface_endpoints=settings.network.interface_endpoints,
        ),
        cluster=cluster_plan(settings.cluster),
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
        tags=stack_tags(settings),
        log_retention_days=settings.observability.log_retention_days,
        alarm_emails=settings.observability.alarm_emails,
        deletion_protection=settings.protection.deletion_protection,
    )


def cluster_plan(cluster: ClusterSettings) -> ClusterPlan:
    """Tell the stack what the settings say of the cluster."""
    groups = cluster.node_groups

    def plan(group: MainNodeGroupSettings | SpotNodeGroupSettings) -> NodeGroupPlan:
        return NodeGroupPlan(
            instance_types=group.instance_types,
            min_size=group.min_size,
            max_size=group.max_size,
            volume_gib=group.volume_gib,
        )

    return ClusterPlan(
        version=cluster.version,
        public_access_cidrs=cluster.public_access_cidrs,
        main=plan(groups.main),
        spot=plan(groups.spot),
        principals=PrincipalPlan(
            platform=cluster.access.platform,
            developer=cluster.access.developer,
            auditor=cluster.access.auditor,
            ci=cluster.access.ci,
        ),
        quotas=cluster.quotas.by_application(),
    )


def staging_args(settings: StagingSettings) -> StagingArgs:
    """Tell the stack what the settings say."""
    return StagingArgs(
        project=pulumi.get_project(),
        kubernetes_version=settings.cluster.version,
        quotas=settings.cluster.quotas.by_application(),
    )


def namespaces(stack: Production | Staging) -> dict[str, Any]:
    """The applications' namespaces, by application."""
    where = stack.platform.tenancy if isinstance(stack, Production) else stack.tenancy
    return {application: each.namespace_name for application, each in where.namespaces.items()}


def export(stack: Production) -> None:
    """Make the stack's outputs."""
    pulumi.export("audit", audit_document(stack))
    base = stack.foundation
    pulumi.export("vpcId", base.vpc.vpc_id)
    pulumi.export("natPublicIps", list(base.vpc.nat_public_ips))
    pulumi.export("imageRepositories", {i: r.repository_url for i, r in base.repositories.items()})
    pulumi.export("clusterName", stack.platform.cluster.cluster_name)
    pulumi.export("kubeconfigs", dict(stack.platform.kubeconfigs))
    pulumi.export("namespaces", namespaces(stack))
