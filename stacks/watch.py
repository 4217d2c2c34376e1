"""Watch: the alarms of every store, and the events of the databases, all to one topic."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components.data.store_identity import zone_letter
from components.observability.alarm import Alarm
from components.observability.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.observability.database_alarms import (
    document_db_alarms,
    document_db_cluster_alarms,
    postgres_alarms,
)
from components.observability.database_events import DatabaseEvents, DatabaseEventsArgs
from components.observability.service_alarms import rabbitmq_alarms, rotation_alarms, valkey_alarms
from components.observability.store_alarms import StoreAlarms, StoreAlarmsArgs
from stacks.data import Data
from stacks.foundation import Foundation
from stacks.production_args import ProductionArgs

# Ten million users at 50 KiB each, with their indexes.
DOCUMENT_DB_EXPECTED_GIB = 500

# The alarms and the CloudWatch dimensions of each watched resource of a store, by a short stable name.
_Watched = Mapping[str, tuple[Sequence[Alarm], Mapping[str, pulumi.Input[str]]]]


@dataclass(frozen=True, kw_only=True)
class Watch:
    """Who is told when a store needs a person."""

    topic: AlarmTopic
    alarms: Mapping[str, StoreAlarms]
    events: Mapping[str, DatabaseEvents]


def watch(base: Foundation, stores: Data, args: ProductionArgs, opts: pulumi.ResourceOptions) -> Watch:
    """Watch the data stores.

    Args:
        base: The key of the topic.
        stores: What is watched.
        args: Classes, which the thresholds follow from.
        opts: Carries the AWS provider.
    """
    topic = AlarmTopic(
        "alarms",
        AlarmTopicArgs(
            key_arn=base.keys.operations.key_arn, account_id=args.account_id, emails=args.alarm_emails
        ),
        opts,
    )

    def alarms(store: str, watched: _Watched) -> StoreAlarms:
        return StoreAlarms(
            f"{store}-alarms",
            StoreAlarmsArgs(
                topic_arn=topic.topic_arn,
                alarms={name: alarms for name, (alarms, _) in watched.items()},
                dimensions={name: dimensions for name, (_, dimensions) in watched.items()},
            ),
            opts,
        )

    watched: dict[str, _Watched] = {
        "postgres": _postgres(stores, args),
        "document-db": _document_db(stores, args),
        "valkey": _valkey(stores, args),
        "rabbitmq": _rabbitmq(stores, args),
        "rotation": {"function": (rotation_alarms(), {"FunctionName": stores.rotation.function_name})},
    }
    return Watch(
        topic=topic,
        alarms={store: alarms(store, resources) for store, resources in watched.items()},
        events=_events(stores, topic, opts),
    )


def _postgres(stores: Data, args: ProductionArgs) -> _Watched:
    plan = args.data.postgres
    instances = {
        "primary": stores.postgres.instance_identifier,
        "replica": stores.postgres.replica_identifier,
    }
    return {
        role: (
            postgres_alarms(
                plan.instance_class, allocated_storage=plan.allocated_storage, replica=role == "replica"
            ),
            {"DBInstanceIdentifier": identifier},
        )
        for role, identifier in instances.items()
    }


def _document_db(stores: Data, args: ProductionArgs) -> _Watched:
    alarms = document_db_alarms(args.data.document_db_class)
    cluster = stores.document_db
    return {
        "cluster": (
            document_db_cluster_alarms(expected_gib=DOCUMENT_DB_EXPECTED_GIB),
            {"DBClusterIdentifier": cluster.cluster_identifier},
        ),
        **{
            letter: (alarms, {"DBInstanceIdentifier": cluster.instance_identifiers[letter]})
            for letter in _letters(args)
        },
    }


def _valkey(stores: Data, args: ProductionArgs) -> _Watched:
    alarms = valkey_alarms(args.data.valkey_node_type)
    nodes = stores.valkey.node_ids
    return {letter: (alarms, {"CacheClusterId": nodes[letter]}) for letter in _letters(args)}


def _rabbitmq(stores: Data, args: ProductionArgs) -> _Watched:
    # Nothing consumes before the services are deployed, and an alarm that always rings is no alarm.
    alarms = rabbitmq_alarms(args.data.rabbitmq_type, consumers=False)
    return {"broker": (alarms, {"Broker": stores.rabbitmq.broker_name})}


def _letters(args: ProductionArgs) -> list[str]:
    return [zone_letter(zone) for zone in args.network.zones]


def _events(stores: Data, topic: AlarmTopic, opts: pulumi.ResourceOptions) -> dict[str, DatabaseEvents]:
    return {
        "postgres": DatabaseEvents(
            "postgres-events",
            DatabaseEventsArgs(
                topic_arn=topic.topic_arn,
                source_type="db-instance",
                source_ids=(stores.postgres.instance_identifier, stores.postgres.replica_identifier),
            ),
            opts,
        ),
        "document-db": DatabaseEvents(
            "document-db-events",
            DatabaseEventsArgs(
                topic_arn=topic.topic_arn,
                source_type="db-cluster",
                source_ids=(stores.document_db.cluster_identifier,),
            ),
            opts,
        ),
    }
