"""Lists every resource that stands in the emulator and that a fresh account would not have.

It reads moto's backends, not the API, so that it finds what an operation may fail to show. What AWS makes
and removes together with something else (a VPC's main route table, a cluster's automated snapshots) is not
listed beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from moto.backends import get_backend

# A (type, identifier, tags, state): state only where a resource outlives its deletion.
Row = tuple[str, str, Mapping[str, str], str | None]


@dataclass(frozen=True)
class InventoryItem:
    """One resource.

    Attributes:
        service: moto's name of the service, which is botocore's.
        type: kind of resource within it, such as `vpc`.
        id: identifier, name or ARN, whichever the service's API takes.
        region: region, or the partition (`aws`) for global services.
        tags: tags by key.
        state: set only on what outlives its deletion, such as a key in its waiting period.
    """

    service: str
    type: str
    id: str
    region: str
    tags: Mapping[str, str] = field(default_factory=dict)
    state: str | None = None


def inventory() -> list[dict[str, Any]]:
    """Returns the resources of all accounts and regions as dictionaries of InventoryItem's fields."""
    find: Any = get_backend  # typed by the literal name of each service, which these are not
    items = []
    for service, listing in _LISTINGS.items():
        for _, region, backend in list(find(service).iter_backends()):
            for kind, identifier, tags, state in listing(backend):
                items.append(InventoryItem(service, kind, identifier, region, dict(tags), state))
    return [asdict(item) for item in sorted(items, key=lambda i: (i.service, i.region, i.type, i.id))]


def _pairs(tags: Any) -> dict[str, str]:
    """Returns tags by key, of AWS's list of pairs in either spelling."""
    pairs: Iterable[Mapping[str, str]] = tags.values() if isinstance(tags, Mapping) else tags or []
    return {tag.get("Key", tag.get("key", "")): tag.get("Value", tag.get("value", "")) for tag in pairs}


def _rows(kind: str, identifiers: Iterable[str], tags: Callable[[str], Mapping[str, str]]) -> Iterator[Row]:
    for identifier in identifiers:
        yield kind, identifier, tags(identifier), None


# Collections of an EC2 backend that are empty in a fresh account.
_EC2_COLLECTIONS = {
    "volume": "volumes",
    "vpc-flow-log": "flow_logs",
    "vpc-peering-connection": "vpc_pcxs",
    "internet-gateway": "internet_gateways",
    "egress-only-internet-gateway": "egress_only_internet_gateways",
    "dhcp-options": "dhcp_options_sets",
    "key-pair": "key_pairs",
    "transit-gateway": "transit_gateways",
}


def _ec2(backend: Any) -> Iterator[Row]:
    def tags(identifier: str) -> Mapping[str, str]:
        return dict(backend.tags.get(identifier, {}))

    for kind, attribute in _EC2_COLLECTIONS.items():
        yield from _rows(kind, getattr(backend, attribute), tags)
    yield from _rows("vpc", (i for i, vpc in backend.vpcs.items() if not _is_true(vpc.is_default)), tags)
    yield from _rows("subnet", (s.id for s in _ec2_subnets(backend) if not _is_true(s.default_for_az)), tags)
    yield from _rows("security-group", _ec2_security_groups(backend), tags)
    yield from _rows("route-table", _ec2_route_tables(backend), tags)
    yield from _rows("network-acl", (i for i, acl in backend.network_acls.items() if not acl.default), tags)
    yield from _rows("elastic-ip", (address.allocation_id for address in backend.addresses), tags)
    yield from _rows("vpc-endpoint", _alive(backend.vpc_end_points, "deleted"), tags)
    yield from _rows("nat-gateway", _alive(backend.nat_gateways, "deleted"), tags)
    yield from _rows("snapshot", (i for i, s in backend.snapshots.items() if s.from_ami is None), tags)
    yield from _rows("network-interface", _ec2_network_interfaces(backend), tags)
    yield from _rows("instance", _ec2_instances(backend), tags)
    yield from _rows("launch-template", _ec2_launch_templates(backend), tags)


def _is_true(flag: bool | str) -> bool:
    return str(flag).lower() == "true"  # moto has both


def _alive(collection: Mapping[str, Any], ended: str) -> Iterator[str]:
    return (identifier for identifier, resource in collection.items() if resource.state != ended)


def _ec2_subnets(backend: Any) -> Iterator[Any]:
    return (subnet for zone in backend.subnets.values() for subnet in zone.values())


def _ec2_security_groups(backend: Any) -> Iterator[str]:
    return (
        identifier
        for groups in backend.groups.values()
        for identifier, group in groups.items()
        if not group.is_default and not _is_of_a_cluster(backend, identifier)
    )


def _is_of_a_cluster(backend: Any, identifier: str) -> bool:
    """Whether EKS made it for a cluster or a node group, with which it goes."""
    return not {"aws:eks:cluster-name", "eks:nodegroup-name"}.isdisjoint(backend.tags.get(identifier, {}))


def _ec2_launch_templates(backend: Any) -> Iterator[str]:
    return (
        identifier for identifier in backend.launch_templates if not _is_of_a_cluster(backend, identifier)
    )


def _ec2_route_tables(backend: Any) -> Iterator[str]:
    return (
        identifier for identifier, table in backend.route_tables.items() if table.main_association_id is None
    )


def _ec2_network_interfaces(backend: Any) -> Iterator[str]:
    managed = {gateway._eni.id for gateway in backend.nat_gateways.values()}
    for endpoint in backend.vpc_end_points.values():
        managed.update(endpoint.network_interface_ids or [])
    managed.update(i for i, e in backend.enis.items() if e.instance is not None and e.delete_on_termination)
    return (i for i in backend.enis if i not in managed and not _is_of_a_cluster(backend, i))


def _ec2_instances(backend: Any) -> Iterator[str]:
    return (
        instance.id
        for reservation in backend.reservations.values()
        for instance in reservation.instances
        if instance.state != "terminated"
    )


_RDS_COLLECTIONS = {
    "cluster": "clusters",
    "global-cluster": "global_clusters",
    "db": "databases",
    "subnet-group": "subnet_groups",
    "parameter-group": "db_parameter_groups",
    "cluster-parameter-group": "db_cluster_parameter_groups",
    "option-group": "option_groups",
    "proxy": "db_proxies",
    "event-subscription": "event_subscriptions",
}


def _rds(backend: Any) -> Iterator[Row]:
    for kind, attribute in _RDS_COLLECTIONS.items():
        for name, resource in getattr(backend, attribute).items():
            if not name.startswith("default"):
                yield kind, name, _pairs(resource.tags), None
    for kind, attribute in (("snapshot", "database_snapshots"), ("cluster-snapshot", "cluster_snapshots")):
        for name, snapshot in getattr(backend, attribute).items():
            if snapshot.snapshot_type == "manual":
                yield kind, name, _pairs(snapshot.tags), None


_ELASTICACHE_COLLECTIONS = {
    "replication-group": "replication_groups",
    "cluster": "cache_clusters",
    "subnet-group": "cache_subnet_groups",
    "parameter-group": "cache_parameter_groups",
    "user": "users",
    "user-group": "user_groups",
    "snapshot": "snapshots",
}


def _elasticache(backend: Any) -> Iterator[Row]:
    for kind, attribute in _ELASTICACHE_COLLECTIONS.items():
        for name, resource in getattr(backend, attribute).items():
            if not name.startswith("default"):
                tags = backend.tagging_service.get_tag_dict_for_resource(resource.arn)
                yield kind, name, tags, None


def _mq(backend: Any) -> Iterator[Row]:
    for kind, collection in (("broker", backend.brokers), ("configuration", backend.configs)):
        for identifier, resource in collection.items():
            yield kind, identifier, backend.list_tags(resource.arn), None


def _secretsmanager(backend: Any) -> Iterator[Row]:
    for secret in backend.secrets.values():
        state = "pending-deletion" if secret.deleted_date else None
        yield "secret", secret.name, _pairs(getattr(secret, "tags", None)), state


def _kms(backend: Any) -> Iterator[Row]:
    for key in backend.keys.values():
        # moto makes the keys that AWS manages when they are first used, and calls them the customer's.
        if key.key_manager == "CUSTOMER" and not any(a.startswith("alias/aws/") for a in key.aliases):
            state = "pending-deletion" if key.key_state == "PendingDeletion" else None
            yield "key", key.id, backend.tagger.get_tag_dict_for_resource(key.id), state
            yield from _rows("alias", key.aliases, lambda _: {})


def _logs(backend: Any) -> Iterator[Row]:
    for name, group in backend.groups.items():
        yield "log-group", name, backend.tagger.get_tag_dict_for_resource(group.arn), None
    yield from _rows("resource-policy", backend.resource_policies, lambda _: {})


def _sns(backend: Any) -> Iterator[Row]:
    for arn, topic in backend.topics.items():
        yield "topic", arn, topic._tags, None
    yield from _rows("subscription", backend.subscriptions, lambda _: {})


def _sqs(backend: Any) -> Iterator[Row]:
    for name, queue in backend.queues.items():
        yield "queue", name, queue.tags, None


def _cloudwatch(backend: Any) -> Iterator[Row]:
    for name, alarm in backend.alarms.items():
        yield "alarm", name, backend.tagger.get_tag_dict_for_resource(alarm.alarm_arn), None
    yield from _rows("dashboard", backend.dashboards, lambda _: {})


def _lambda(backend: Any) -> Iterator[Row]:
    for function in backend.list_functions():
        yield "function", function.function_name, function.tags, None
    yield from _rows("event-source-mapping", backend._event_source_mappings, lambda _: {})


def _ecr(backend: Any) -> Iterator[Row]:
    for name, repository in backend.repositories.items():
        yield "repository", name, backend.tagger.get_tag_dict_for_resource(repository.arn), None


def _iam(backend: Any) -> Iterator[Row]:
    for role in backend.roles.values():
        yield "role", role.name, _pairs(role.tags), None
    for policy in backend.managed_policies.values():
        if not policy.arn.startswith("arn:aws:iam::aws:policy/"):
            yield "policy", policy.arn, _pairs(policy.tags), None
    for profile in backend.instance_profiles.values():
        yield "instance-profile", profile.name, _pairs(profile.tags), None
    for user in backend.users.values():
        yield "user", user.name, {}, None
    yield from _rows("group", backend.groups, lambda _: {})
    yield from _rows("oidc-provider", backend.open_id_providers, lambda _: {})


def _s3(backend: Any) -> Iterator[Row]:
    for name in backend.buckets:
        yield "bucket", name, backend.tagger.get_tag_dict_for_resource(f"arn:aws:s3:::{name}"), None


def _elbv2(backend: Any) -> Iterator[Row]:
    for kind, collection in (
        ("load-balancer", backend.load_balancers),
        ("target-group", backend.target_groups),
    ):
        for arn, resource in collection.items():
            yield kind, arn, dict(resource.tags), None


def _eks(backend: Any) -> Iterator[Row]:
    for name, cluster in backend.clusters.items():
        yield "cluster", name, cluster.tags, None
        for kind, resources in (
            ("node-group", cluster.nodegroups),
            ("add-on", cluster.addons),
            ("access-entry", cluster.access_entries),
            ("pod-identity-association", cluster.associations),
            ("fargate-profile", cluster.fargate_profiles),
        ):
            for identifier, resource in resources.items():
                yield kind, f"{name}/{identifier}", resource.tags, None


def _autoscaling(backend: Any) -> Iterator[Row]:
    for name, group in backend.autoscaling_groups.items():
        yield "group", name, _pairs(group.tags), None
    yield from _rows("launch-configuration", backend.launch_configurations, lambda _: {})


def _events(backend: Any) -> Iterator[Row]:
    for bus in backend.event_buses.values():
        if bus.name != "default":
            yield "event-bus", bus.name, {}, None
        yield from _rows("rule", bus.rules, lambda _: {})


def _ssm(backend: Any) -> Iterator[Row]:
    yield from _rows("document", backend._documents, lambda _: {})
    # Only the caller's own: moto serves the public ones (/aws/...) from the same dictionary.
    own = (name for name in list(backend._parameters) if not name.startswith("/aws/"))
    yield from _rows("parameter", own, lambda _: {})


_LISTINGS: dict[str, Callable[[Any], Iterator[Row]]] = {
    "autoscaling": _autoscaling,
    "cloudwatch": _cloudwatch,
    "ec2": _ec2,
    "ecr": _ecr,
    "eks": _eks,
    "elasticache": _elasticache,
    "elbv2": _elbv2,
    "events": _events,
    "iam": _iam,
    "kms": _kms,
    "lambda": _lambda,
    "logs": _logs,
    "mq": _mq,
    "rds": _rds,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "sns": _sns,
    "sqs": _sqs,
    "ssm": _ssm,
}
