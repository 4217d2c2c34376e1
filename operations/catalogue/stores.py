"""Kinds that hold data: databases, caches, brokers, images."""

import time

from operations.catalogue.model import Kind, TagCall, Thing, simply
from operations.clients import Clients

_RDS_TAGS = "list_tags_for_resource"


def _rds_tags(arn: str) -> TagCall:
    return TagCall(_RDS_TAGS, "ResourceName", arn, "TagList")


def _orphan_snapshot(thing: Thing) -> str:
    return f"{thing.name}-orphan-{time.strftime('%Y%m%d%H%M%S', time.gmtime())}"


def _delete_instance(clients: Clients, thing: Thing) -> None:
    rds = clients.get("rds")
    rds.modify_db_instance(DBInstanceIdentifier=thing.name, DeletionProtection=False, ApplyImmediately=True)
    if thing.item.get("ReadReplicaSourceDBInstanceIdentifier"):  # RDS takes no final snapshot of a replica
        rds.delete_db_instance(DBInstanceIdentifier=thing.name, SkipFinalSnapshot=True)
        return
    rds.delete_db_instance(
        DBInstanceIdentifier=thing.name,
        SkipFinalSnapshot=False,
        FinalDBSnapshotIdentifier=_orphan_snapshot(thing),
    )


def _delete_document_cluster(clients: Clients, thing: Thing) -> None:
    docdb = clients.get("docdb")
    docdb.modify_db_cluster(DBClusterIdentifier=thing.name, DeletionProtection=False, ApplyImmediately=True)
    docdb.delete_db_cluster(
        DBClusterIdentifier=thing.name,
        SkipFinalSnapshot=False,
        FinalDBSnapshotIdentifier=_orphan_snapshot(thing),
    )


def _delete_replication_group(clients: Clients, thing: Thing) -> None:
    clients.get("elasticache").delete_replication_group(
        ReplicationGroupId=thing.id, FinalSnapshotIdentifier=_orphan_snapshot(thing)
    )


_DATABASES = (
    Kind(
        resource_type="aws:rds/proxy:Proxy",
        service="rds",
        operation="describe_db_proxies",
        items="DBProxies",
        id="DBProxyName",
        arn="DBProxyArn",
        arn_type="rds:db-proxy",
        name="DBProxyName",
        name_input="name",
        tags=_rds_tags("DBProxyArn"),
        state="Status",
        delete=simply("delete_db_proxy", "DBProxyName"),
        rank=20,
    ),
    Kind(
        resource_type="aws:rds/eventSubscription:EventSubscription",
        service="rds",
        operation="describe_event_subscriptions",
        items="EventSubscriptionsList",
        id="CustSubscriptionId",
        arn="EventSubscriptionArn",
        arn_type="rds:es",
        name="CustSubscriptionId",
        name_input="name",
        tags=_rds_tags("EventSubscriptionArn"),
        delete=simply("delete_event_subscription", "SubscriptionName"),
        rank=20,
    ),
    Kind(
        resource_type="aws:rds/instance:Instance",
        service="rds",
        operation="describe_db_instances",
        # The RDS API lists DocumentDB's and Neptune's instances too.
        items="DBInstances[?Engine != 'docdb' && Engine != 'neptune']",
        id="DbiResourceId",
        arn="DBInstanceArn",
        arn_type="rds:db",
        name="DBInstanceIdentifier",
        name_input="identifier",
        tags="TagList",
        state="DBInstanceStatus",
        delete=_delete_instance,
        rank=25,
        holds_data=True,
    ),
    Kind(
        resource_type="aws:docdb/clusterInstance:ClusterInstance",
        service="docdb",
        operation="describe_db_instances",
        items="DBInstances[?Engine == 'docdb']",
        id="DBInstanceIdentifier",
        arn="DBInstanceArn",
        arn_type="rds:db",
        name="DBInstanceIdentifier",
        name_input="identifier",
        tags=_rds_tags("DBInstanceArn"),
        state="DBInstanceStatus",
        delete=simply("delete_db_instance", "DBInstanceIdentifier"),
        rank=25,
    ),
    Kind(
        resource_type="aws:docdb/cluster:Cluster",
        service="docdb",
        operation="describe_db_clusters",
        items="DBClusters[?Engine == 'docdb']",
        id="DBClusterIdentifier",
        arn="DBClusterArn",
        arn_type="rds:cluster",
        name="DBClusterIdentifier",
        name_input="clusterIdentifier",
        tags=_rds_tags("DBClusterArn"),
        state="Status",
        delete=_delete_document_cluster,
        rank=28,
        holds_data=True,
    ),
    *(
        # One name space in AWS, two resource types in Pulumi.
        Kind(
            resource_type=f"aws:{family}/subnetGroup:SubnetGroup",
            service="rds",
            operation="describe_db_subnet_groups",
            items="DBSubnetGroups[?DBSubnetGroupName != 'default']",
            id="DBSubnetGroupName",
            arn="DBSubnetGroupArn",
            arn_type="rds:subgrp",
            name="DBSubnetGroupName",
            name_input="name",
            tags=_rds_tags("DBSubnetGroupArn"),
            delete=simply("delete_db_subnet_group", "DBSubnetGroupName"),
        )
        for family in ("rds", "docdb")
    ),
    Kind(
        resource_type="aws:rds/parameterGroup:ParameterGroup",
        service="rds",
        operation="describe_db_parameter_groups",
        items="DBParameterGroups[?!starts_with(DBParameterGroupName, 'default.')]",
        id="DBParameterGroupName",
        arn="DBParameterGroupArn",
        arn_type="rds:pg",
        name="DBParameterGroupName",
        name_input="name",
        tags=_rds_tags("DBParameterGroupArn"),
        delete=simply("delete_db_parameter_group", "DBParameterGroupName"),
    ),
    Kind(
        resource_type="aws:docdb/clusterParameterGroup:ClusterParameterGroup",
        service="docdb",
        operation="describe_db_cluster_parameter_groups",
        items="DBClusterParameterGroups[?!starts_with(DBClusterParameterGroupName, 'default.')]",
        id="DBClusterParameterGroupName",
        arn="DBClusterParameterGroupArn",
        arn_type="rds:cluster-pg",
        name="DBClusterParameterGroupName",
        name_input="name",
        tags=_rds_tags("DBClusterParameterGroupArn"),
        delete=simply("delete_db_cluster_parameter_group", "DBClusterParameterGroupName"),
    ),
)

_CACHES = (
    Kind(
        resource_type="aws:elasticache/replicationGroup:ReplicationGroup",
        service="elasticache",
        operation="describe_replication_groups",
        items="ReplicationGroups",
        id="ReplicationGroupId",
        arn="ARN",
        arn_type="elasticache:replicationgroup",
        name="ReplicationGroupId",
        name_input="replicationGroupId",
        tags=_rds_tags("ARN"),
        state="Status",
        delete=_delete_replication_group,
        rank=25,
        holds_data=True,
    ),
    Kind(
        resource_type="aws:elasticache/userGroup:UserGroup",
        service="elasticache",
        operation="describe_user_groups",
        items="UserGroups",
        id="UserGroupId",
        arn="ARN",
        arn_type="elasticache:usergroup",
        name="UserGroupId",
        name_input="userGroupId",
        tags=_rds_tags("ARN"),
        state="Status",
        delete=simply("delete_user_group", "UserGroupId"),
        rank=45,
    ),
    Kind(
        resource_type="aws:elasticache/user:User",
        service="elasticache",
        operation="describe_users",
        items="Users[?UserId != 'default']",
        id="UserId",
        arn="ARN",
        arn_type="elasticache:user",
        name="UserId",
        name_input="userId",
        tags=_rds_tags("ARN"),
        state="Status",
        delete=simply("delete_user", "UserId"),
        rank=48,
    ),
    Kind(
        resource_type="aws:elasticache/subnetGroup:SubnetGroup",
        service="elasticache",
        operation="describe_cache_subnet_groups",
        items="CacheSubnetGroups[?CacheSubnetGroupName != 'default']",
        id="CacheSubnetGroupName",
        arn="ARN",
        arn_type="elasticache:subnetgroup",
        name="CacheSubnetGroupName",
        name_input="name",
        tags=_rds_tags("ARN"),
        delete=simply("delete_cache_subnet_group", "CacheSubnetGroupName"),
    ),
    Kind(
        resource_type="aws:elasticache/parameterGroup:ParameterGroup",
        service="elasticache",
        operation="describe_cache_parameter_groups",
        items="CacheParameterGroups[?!starts_with(CacheParameterGroupName, 'default.')]",
        id="CacheParameterGroupName",
        arn="ARN",
        arn_type="elasticache:parametergroup",
        name="CacheParameterGroupName",
        name_input="name",
        tags=_rds_tags("ARN"),
        delete=simply("delete_cache_parameter_group", "CacheParameterGroupName"),
    ),
)

KINDS = (
    *_DATABASES,
    *_CACHES,
    Kind(
        resource_type="aws:mq/broker:Broker",
        service="mq",
        operation="list_brokers",
        items="BrokerSummaries",
        id="BrokerId",
        arn="BrokerArn",
        arn_type="mq:broker",
        name="BrokerName",
        name_input="brokerName",
        tags=TagCall("list_tags", "ResourceArn", "BrokerArn", "Tags"),
        state="BrokerState",
        delete=simply("delete_broker", "BrokerId"),
        rank=25,
        holds_data=True,
    ),
    Kind(
        resource_type="aws:mq/configuration:Configuration",
        service="mq",
        operation="list_configurations",
        items="Configurations",
        id="Id",
        arn="Arn",
        arn_type="mq:configuration",
        name="Name",
        name_input="name",
        tags=TagCall("list_tags", "ResourceArn", "Arn", "Tags"),
        delete=simply("delete_configuration", "ConfigurationId"),
    ),
    Kind(
        resource_type="aws:ecr/repository:Repository",
        service="ecr",
        operation="describe_repositories",
        items="repositories",
        id="repositoryName",
        arn="repositoryArn",
        arn_type="ecr:repository",
        name="repositoryName",
        name_input="name",
        tags=TagCall("list_tags_for_resource", "resourceArn", "repositoryArn", "tags"),
        delete=simply("delete_repository", "repositoryName", force=True),
        holds_data=True,
    ),
)
