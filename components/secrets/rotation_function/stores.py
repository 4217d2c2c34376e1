"""Set a password in a store through the interface of the service that runs it.

Every `set_password` may run any number of times with the same values, and `check` only looks.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from .versions import Value

if TYPE_CHECKING:
    from mypy_boto3_docdb.client import DocDBClient
    from mypy_boto3_elasticache.client import ElastiCacheClient
    from mypy_boto3_rds.client import RDSClient

_POLL_SECONDS = 5
_POLLS = 60


class NotYetEffectiveError(Exception):
    """The store has not taken the new password yet; Secrets Manager tries the step again."""


class Store(Protocol):
    """What rotation asks of a store."""

    def set_password(self, pending: Value, current: Value, /) -> None:
        """Make the pending password valid."""

    def check(self, value: Value) -> None:
        """Return when the password is valid.

        Raises:
            NotYetEffectiveError: it is not valid within the time that a step may take.
        """


def wait_until(effective: Callable[[], bool], what: str, *, sleep: Callable[[float], None]) -> None:
    """Poll every five seconds for five minutes.

    Raises:
        NotYetEffectiveError: the time is up.
    """
    for _ in range(_POLLS):
        if effective():
            return
        sleep(_POLL_SECONDS)
    raise NotYetEffectiveError(
        f"{what} has not taken the new password within {_POLLS * _POLL_SECONDS} s; the step is tried again"
    )


class PostgresStore:
    """The master user of an RDS instance.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """

    def __init__(self, client: "RDSClient", sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def set_password(self, pending: Value, _current: Value, /) -> None:
        """Reset the master password; RDS needs no former one."""
        self._client.modify_db_instance(
            DBInstanceIdentifier=pending.resource_id,
            MasterUserPassword=pending.password,
            ApplyImmediately=True,
        )

    def check(self, value: Value) -> None:
        """Wait until no password change is under way."""
        wait_until(lambda: self._settled(value.resource_id), value.resource_id, sleep=self._sleep)

    def _settled(self, identifier: str) -> bool:
        instance = self._client.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]
        waiting = "MasterUserPassword" in instance.get("PendingModifiedValues", {})
        return instance["DBInstanceStatus"] == "available" and not waiting


class DocumentDbStore:
    """The master user of a DocumentDB cluster.

    https://docs.aws.amazon.com/documentdb/latest/developerguide/API_ModifyDBCluster.html
    """

    def __init__(self, client: "DocDBClient", sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def set_password(self, pending: Value, _current: Value, /) -> None:
        """Reset the master password; DocumentDB needs no former one."""
        self._client.modify_db_cluster(
            DBClusterIdentifier=pending.resource_id,
            MasterUserPassword=pending.password,
            ApplyImmediately=True,
        )

    def check(self, value: Value) -> None:
        """Wait until the cluster is available: while it resets the password it is not; it tells no more."""
        wait_until(lambda: self._settled(value.resource_id), value.resource_id, sleep=self._sleep)

    def _settled(self, identifier: str) -> bool:
        clusters = self._client.describe_db_clusters(DBClusterIdentifier=identifier)["DBClusters"]
        return clusters[0]["Status"] == "available"


class ValkeyStore:
    """A user of ElastiCache, which may have two passwords: clients that hold the former one stay connected.

    https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/User-Secrets-Manager.html
    """

    def __init__(self, client: "ElastiCacheClient", sleep: Callable[[float], None] = time.sleep) -> None:
        self._client = client
        self._sleep = sleep

    def set_password(self, pending: Value, current: Value, /) -> None:
        """Let the user log in with the new password and the present one, and with no older one."""
        self._client.modify_user(
            UserId=pending.resource_id,
            AuthenticationMode={"Type": "password", "Passwords": [pending.password, current.password]},
        )

    def check(self, value: Value) -> None:
        """Wait until the user's change has reached its groups."""
        wait_until(lambda: self._settled(value.resource_id), value.resource_id, sleep=self._sleep)

    def _settled(self, user_id: str) -> bool:
        return self._client.describe_users(UserId=user_id)["Users"][0]["Status"] == "active"
