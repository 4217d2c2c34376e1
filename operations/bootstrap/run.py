"""Runs a plan over all its stores."""

from collections.abc import Callable
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

    def _how(self, store: Store) -> tuple[Credentials, Path | None, float]:
        master = self.secrets.read(store.name, store.master_secret)
        return master, store.ca_file or self.plan.ca_file, self.patience

    def postgres(self, server: PostgresServer) -> ServerAccess:
        """Access to a PostgreSQL server."""
        return ServerAccess(server, *self._how(server))

    def mongodb(self, cluster: MongoCluster) -> ClusterAccess:
        """Access to a MongoDB-protocol cluster."""
        return ClusterAccess(cluster, *self._how(cluster))

    def rabbitmq(self, broker: RabbitBroker) -> BrokerAccess:
        """Access to a RabbitMQ broker."""
        master = self.secrets.read(broker.name, broker.master_secret)
        # Amazon MQ's certificates chain to a public root, so the plan's private bundle is not for it.
        return BrokerAccess(broker, master, broker.ca_file, self.patience)


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
