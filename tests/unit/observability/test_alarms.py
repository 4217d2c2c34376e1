"""Alarms: thresholds follow from the instance class, and every alarm reaches the topic both ways."""

from collections.abc import Callable
from itertools import chain

import pytest

from components.data.instance_classes import DOCUMENT_DB, GIB, RABBITMQ, RDS, VALKEY
from components.data.postgres_parameters import max_connections
from components.observability.alarm import Alarm
from components.observability.alarm_topic import AlarmTopic, AlarmTopicArgs
from components.observability.database_alarms import (
    document_db_alarms,
    document_db_cluster_alarms,
    postgres_alarms,
)
from components.observability.database_events import DatabaseEvents, DatabaseEventsArgs, SourceType
from components.observability.service_alarms import rabbitmq_alarms, rotation_alarms, valkey_alarms
from components.observability.store_alarms import StoreAlarms, StoreAlarmsArgs
from tests.unit.data import properties
from tests.unit.data.properties import ACCOUNT, key
from tests.unit.mock_engine import deploy

TOPIC = "arn:aws:sns:us-east-1:123456789012:alarms"


def by_role(alarms: tuple[Alarm, ...]) -> dict[str, Alarm]:
    found = {alarm.role: alarm for alarm in alarms}
    assert len(found) == len(alarms), "two alarms of a role would be one resource"
    return found


def every_set_of_alarms() -> list[tuple[Alarm, ...]]:
    return [
        *(postgres_alarms(c, allocated_storage=100, replica=r) for c in RDS for r in (False, True)),
        *(document_db_alarms(c) for c in DOCUMENT_DB),
        document_db_cluster_alarms(expected_gib=100),
        *(valkey_alarms(c) for c in VALKEY),
        *(rabbitmq_alarms(c, consumers=n) for c in RABBITMQ for n in (False, True)),
        rotation_alarms(),
    ]


@pytest.mark.parametrize("alarms", every_set_of_alarms())
def test_every_alarm_is_possible_and_tells_what_to_do(alarms: tuple[Alarm, ...]) -> None:
    for alarm in by_role(alarms).values():
        assert alarm.threshold >= 0
        assert alarm.period % 60 == 0
        # CloudWatch evaluates at most a day: API_PutMetricAlarm, EvaluationPeriods.
        assert alarm.period * alarm.periods <= 86_400
        assert ":" in alarm.description
        if alarm.comparison.startswith("LessThan"):
            assert alarm.threshold > 0, "nothing measured here is ever below zero"


@pytest.mark.parametrize("alarms", [a for a in every_set_of_alarms() if len(a) > 1])
def test_a_silent_resource_raises_one_alarm_at_least(alarms: tuple[Alarm, ...]) -> None:
    assert any(alarm.missing == "breaching" for alarm in alarms)
    assert any(alarm.missing != "breaching" for alarm in alarms)


@pytest.mark.mission_M22
@pytest.mark.parametrize("instance_class", RDS)
def test_postgres_thresholds_follow_from_the_memory(instance_class: str) -> None:
    alarms = by_role(postgres_alarms(instance_class, allocated_storage=100, replica=False))
    size = RDS[instance_class]

    assert alarms["memory"].threshold == pytest.approx(size.memory / 10, rel=0.001)
    assert alarms["connections"].threshold == max_connections(size.memory) * 0.8
    assert alarms["storage"].threshold == 5 * GIB
    assert ("cpu-credits" in alarms) is size.burstable
    assert "replica-lag" not in alarms


@pytest.mark.mission_M22
def test_a_replica_is_watched_for_lag() -> None:
    assert "replica-lag" in by_role(postgres_alarms("db.m7g.large", allocated_storage=100, replica=True))


@pytest.mark.mission_M23
def test_document_db_connections_are_held_against_the_instance_s_own_limit() -> None:
    connections = by_role(document_db_alarms("db.r6g.large"))["connections"]

    assert connections.limit_metric == "DatabaseConnectionsLimit"
    assert connections.threshold == 80


@pytest.mark.mission_M24
def test_one_eviction_or_a_handful_of_failed_logins_is_an_alarm() -> None:
    alarms = by_role(valkey_alarms("cache.m7g.large"))

    assert alarms["evictions"].threshold == 0
    assert alarms["authentication"].statistic == "Sum"
    assert alarms["connections"].threshold == 52_000


@pytest.mark.mission_M25
def test_a_broker_without_consumers_is_no_alarm_before_there_are_services() -> None:
    assert {"no-connection", "no-consumer"}.isdisjoint(
        by_role(rabbitmq_alarms("mq.m7g.large", consumers=False))
    )
    assert {"no-connection", "no-consumer"} <= by_role(rabbitmq_alarms("mq.m7g.large", consumers=True)).keys()


@pytest.mark.parametrize(
    "alarms",
    [
        lambda: postgres_alarms("db.z1d.large", allocated_storage=1, replica=False),
        lambda: document_db_alarms("db.z1d.large"),
        lambda: valkey_alarms("db.z1d.large"),
        lambda: rabbitmq_alarms("db.z1d.large", consumers=True),
    ],
)
def test_an_unknown_class_has_no_thresholds(alarms: Callable[[], tuple[Alarm, ...]]) -> None:
    with pytest.raises(ValueError, match=r"unknown instance class 'db\.z1d\.large'.*add its capacity"):
        alarms()


def test_alarms_reach_the_topic_when_they_rise_and_when_they_clear() -> None:
    sets = {
        "primary": postgres_alarms("db.t4g.medium", allocated_storage=100, replica=False),
        "broker": rabbitmq_alarms("mq.m7g.large", consumers=True),
    }
    deployment = deploy(
        lambda: (
            StoreAlarms(
                "alarms",
                StoreAlarmsArgs(
                    topic_arn=TOPIC,
                    alarms=sets,
                    dimensions={
                        "primary": {"DBInstanceIdentifier": "postgres-1"},
                        "broker": {"Broker": "rabbitmq-1"},
                    },
                ),
            ).alarm_names
        )
    )

    made = deployment.all("MetricAlarm")
    assert len(made) == len(deployment.result) == len(list(chain(*sets.values())))
    properties.assert_tagged_with_its_name(deployment)
    for alarm in made:
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"] == [TOPIC]
        # One or the other, never both: API_PutMetricAlarm.
        assert ("metricName" in alarm.inputs) != ("metricQueries" in alarm.inputs)
    assert deployment.named("alarms-primary-cpu").inputs["dimensions"] == {
        "DBInstanceIdentifier": "postgres-1"
    }


def test_a_percentage_alarm_divides_two_metrics_of_one_resource() -> None:
    deployment = deploy(
        lambda: (
            StoreAlarms(
                "alarms",
                StoreAlarmsArgs(
                    topic_arn=TOPIC,
                    alarms={"broker": rabbitmq_alarms("mq.m7g.large", consumers=False)},
                    dimensions={"broker": {"Broker": "rabbitmq-1"}},
                ),
            ).alarm_names
        )
    )
    alarm = deployment.named("alarms-broker-memory").inputs
    queries = {q["id"]: q for q in alarm["metricQueries"]}

    assert [q["id"] for q in alarm["metricQueries"] if q.get("returnData")] == ["percentage"]
    assert queries["used"]["metric"]["metricName"] == "RabbitMQMemUsed"
    assert queries["maximum"]["metric"]["metricName"] == "RabbitMQMemLimit"
    assert queries["used"]["metric"]["dimensions"] == queries["maximum"]["metric"]["dimensions"]
    assert not {"period", "statistic", "namespace", "dimensions"} & alarm.keys()


def test_the_busiest_node_counts_whatever_it_is_called() -> None:
    deployment = deploy(
        lambda: (
            StoreAlarms(
                "alarms",
                StoreAlarmsArgs(
                    topic_arn=TOPIC,
                    alarms={"broker": rabbitmq_alarms("mq.m7g.large", consumers=False)},
                    dimensions={"broker": {"Broker": "rabbitmq-1"}},
                ),
            ).alarm_names
        )
    )
    alarm = deployment.named("alarms-broker-cpu").inputs
    (query,) = alarm["metricQueries"]

    assert query["expression"] == (
        'SELECT MAX(SystemCpuUtilization) FROM SCHEMA("AWS/AmazonMQ", Broker, Node) '
        "WHERE Broker = 'rabbitmq-1'"
    )
    assert (query["period"], query["returnData"], alarm["threshold"]) == (60, True, 80)


def test_a_resource_named_on_one_side_only_is_refused() -> None:
    with pytest.raises(ValueError, match="replica: named in only one of alarms and dimensions"):
        StoreAlarmsArgs(topic_arn=TOPIC, alarms={"replica": ()}, dimensions={})


def test_the_topic_is_encrypted_and_takes_this_account_s_alarms_and_events_only() -> None:
    deployment = deploy(
        lambda: AlarmTopic("alarms", AlarmTopicArgs(key_arn=key("operations"), account_id=ACCOUNT)).topic_arn
    )
    allowed = properties.statements(deployment.one("TopicPolicy").inputs["policy"])

    assert deployment.one("Topic").inputs["kmsMasterKeyId"] == key("operations")
    publish = allowed["AlarmsAndDatabaseEvents"]
    assert publish["Principal"] == {"Service": ["cloudwatch.amazonaws.com", "events.rds.amazonaws.com"]}
    assert publish["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}
    assert [s["Effect"] for s in allowed.values()] == ["Allow", "Deny"]
    properties.assert_tagged_with_its_name(deployment)


@pytest.mark.mission_M52
@pytest.mark.parametrize("source_type", ["db-instance", "db-cluster"])
def test_failovers_and_failures_are_told(source_type: SourceType) -> None:
    args = DatabaseEventsArgs(topic_arn=TOPIC, source_type=source_type, source_ids=("postgres-1",))
    deployment = deploy(lambda: DatabaseEvents("events", args).subscription_arn)
    subscription = deployment.one("EventSubscription").inputs

    assert {"failover", "failure"} <= set(subscription["eventCategories"])
    assert subscription["sourceType"] == source_type
    assert subscription["sourceIds"] == ["postgres-1"]
    properties.assert_tagged_with_its_name(deployment)


def test_events_of_no_database_in_particular_are_refused() -> None:
    with pytest.raises(ValueError, match="every database of the account"):
        DatabaseEventsArgs(topic_arn=TOPIC, source_type="db-instance", source_ids=())
