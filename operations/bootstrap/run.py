"""Runs a plan over all its stores."""

from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path

import psycopg

from operations.bootstrap import mongodb
from operations.bootstrap.credentials import Credentials, SecretReader
from operations.bootstrap.errors import StoreError
from operations.bootstrap.mongodb import ClusterAccess
from operations.bootstrap.plan import MongoCluster, Plan, PostgresServer, RabbitBroker, Store, User
from operations.bootstrap.postgres import convergence as postgres
from operations.bootstrap.postgres.access import ServerAccess
from operations.bootstrap.rabbitmq import convergence as rabbitmq
from operations.bootstrap.rabbitmq.management import BrokerAccess
from operations.bootstrap.report import Problem, Report


class Stores:
    """Opens the stores of a plan.

    Attributes:
        plan: The plan.
        secrets: Where credentials come from.
        patience: Seconds to wait for a store that does not answer.
    """

    def __init__(self, plan: Plan, secrets: SecretReader, patience: float) -> None:
        self.plan = plan
        self.secrets = secrets
        self.patience = patience

    def postgres(self, server: PostgresServer) -> ServerAccess:
        """Access to a PostgreSQL server."""
        names = [name for database in server.databases for name in database.role_names]
        return ServerAccess(server, self._master(server, names), self._ca_file(server), self.patience)

    def mongodb(self, cluster: MongoCluster) -> ClusterAccess:
        """Access to a MongoDB-protocol cluster."""
        master = self._master(cluster, [login for user in cluster.users for login in user.logins])
        return ClusterAccess(cluster, master, self._ca_file(cluster), self.patience)

    def rabbitmq(self, broker: RabbitBroker) -> BrokerAccess:
        """Access to a RabbitMQ broker."""
        master = self._master(broker, [login for user in broker.users for login in user.logins])
        # Amazon MQ's certificates chain to a public root, so the plan's private bundle is not for it.
        return BrokerAccess(broker, master, broker.ca_file, self.patience)

    def _master(self, store: Store, logins: Collection[str]) -> Credentials:
        """Only the secret knows the master's name, so only here a service that would become it is found."""
        master = self.secrets.read(store.name, store.master_secret)
        if master.username in logins:
            raise StoreError(
                store.name, f"user {master.username}", "is the master user and in the plan as a service's",
                "Give the service a name of its own: no service connects as master",
            )  # fmt: skip
        return master

    def _ca_file(self, store: Store) -> Path | None:
        return store.ca_file or self.plan.ca_file


def converge(plan: Plan, *, dry_run: bool, patience: float) -> Report:
    """Bring every store in line with the plan.

    Args:
        plan: What the stores must have.
        dry_run: Only tell what would change.
        patience: Seconds to wait for each store that does not answer.

    Returns:
        The changes and problems; a store that cannot be worked on is a problem and does not stop the others.
    """
    report = Report(dry_run=dry_run)
    stores = Stores(plan, SecretReader(), patience)

    def credentials(store: Store) -> Callable[[User], Credentials]:
        return lambda user: stores.secrets.read(store.name, user.secret)

    def mongo(cluster: MongoCluster) -> None:
        with stores.mongodb(cluster) as access:
            mongodb.converge(access, credentials(cluster), report)

    runs: list[tuple[Store, Callable[[], None]]] = [
        *(
            (s, partial(lambda s: postgres.converge(stores.postgres(s), credentials(s), report), s))
            for s in plan.postgres
        ),
        *((s, partial(mongo, s)) for s in plan.mongodb),
        *(
            (s, partial(lambda s: rabbitmq.converge(stores.rabbitmq(s), credentials(s), report), s))
            for s in plan.rabbitmq
        ),
    ]
    for store, run in runs:
        try:
            run()
        except StoreError as error:
            report.problems.append(Problem.of(error))
        except psycopg.Error as error:
            reason = error.diag.message_primary or "the connection broke"
            report.problems.append(
                Problem(store.name, f"server {store.host}", reason, "Run again: what is done stays done")
            )
    return report
