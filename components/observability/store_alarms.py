"""Alarms of one store, and the database events that concern it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One alarm as plain data; see the alarm functions beside this module.

    Attributes:
        role: Suffix of the alarm's logical name (`cpu`), unique within its resource.
    """

    role: str


@dataclass(frozen=True, kw_only=True)
class StoreAlarmsArgs:
    """What is watched.

    Attributes:
        topic_arn: Topic to notify, when an alarm rises and when it clears.
        alarms: Alarms of each watched resource, by a short stable name (`primary`), from
            `postgres_alarms`, `document_db_alarms`, `valkey_alarms` or `rabbitmq_alarms`.
        dimensions: CloudWatch dimensions of each watched resource, by the same name.
    """

    topic_arn: pulumi.Input[str]
    alarms: Mapping[str, Sequence[Alarm]]
    dimensions: Mapping[str, Mapping[str, pulumi.Input[str]]]


class StoreAlarms(pulumi.ComponentResource):
    """The alarms of one store.

    Attributes:
        alarm_names: Names of all alarms.
    """

    alarm_names: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, args: StoreAlarmsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("cloudcommerce:observability:StoreAlarms", name, None, opts)
