"""Replaces the password of one service user: new secret version, store, trial, promotion.

Every step can be repeated, and the version's identifier is derived from the current version's, so that a
run after a crash, or one beside another, goes on with the same new password instead of making a second one.
The labels are those of Secrets Manager's own rotation:
https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_how.html
"""

import json
import secrets
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from operations.bootstrap.credentials import CURRENT, Credentials
from operations.bootstrap.errors import PlanError, StoreError
from operations.bootstrap.plan import (
    MongoCluster,
    PostgresDatabase,
    PostgresServer,
    RabbitBroker,
    RabbitUser,
    Rotation,
    Store,
    User,
)
from operations.bootstrap.report import Action, Change, Report
from operations.bootstrap.run import Stores

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

PENDING = "AWSPENDING"
_VERSIONS = uuid.UUID("5f5f6f5e-6d0b-4f6e-9a55-0d0c6d2a4a10")
_PASSWORD_BYTES = 36


@dataclass(frozen=True)
class _Login:
    """What rotation does with a login in its store."""

    set_password: Callable[[Credentials], None]
    accepts: Callable[[Credentials], bool]


def rotate(stores: Stores, secret: str) -> Report:
    """Give the user of a secret a new password.

    Args:
        stores: The stores of the plan.
        secret: ARN of a service's secret in the plan.

    Raises:
        PlanError: no user of the plan has this secret.
        StoreError: a step failed; run again to go on from there.
    """
    store, user, login = _find(stores, secret)
    with login as actions:
        changed = _rotate(stores, store, user, actions)
    return Report(changes=[Change(store.name, Action.UPDATED, f"user {changed}", "password rotated")])


def _rotate(stores: Stores, store: Store, user: User, login: _Login) -> str:
    versions = _Versions(stores.secrets.client(user.secret), store.name, user.secret)
    current = versions.labelled(CURRENT)
    if current is None:
        raise StoreError(store.name, f"secret {user.secret}", "has no current version",
                         "Put a value with a username and a password into it")  # fmt: skip
    if versions.labelled(PENDING) == current:
        # An earlier run died between promoting the version and taking the label off.
        versions.forget_pending(current)
        return stores.secrets.read(store.name, user.secret).username
    now = stores.secrets.read(store.name, user.secret, VersionId=current)
    pending = versions.prepare(current, _next_login(user, now.username, store))
    new = stores.secrets.read(store.name, user.secret, VersionId=pending)
    _ensure(store, login, new)
    versions.promote(pending, current)
    # A bootstrap that ran in between knew only the old password of a single user and put it back.
    _ensure(store, login, new)
    versions.forget_pending(pending)
    return new.username


def _next_login(user: User, current: str, store: Store) -> str:
    if current not in user.logins:
        raise StoreError(store.name, f"secret {user.secret}", f"names the user {current!r}",
                         f"Its username must be {' or '.join(user.logins)}")  # fmt: skip
    if user.rotation is Rotation.SINGLE:
        return current
    return next(login for login in user.logins if login != current)


def _ensure(store: Store, login: _Login, new: Credentials) -> None:
    if login.accepts(new):
        return
    login.set_password(new)
    if not login.accepts(new):
        raise StoreError(store.name, f"user {new.username}", "the store refuses the password just set",
                         "Services still have the old one; see the store's log, then run again")  # fmt: skip


class _Versions:
    """The versions of one secret and their labels."""

    def __init__(self, client: "SecretsManagerClient", store: str, secret: str) -> None:
        self._client = client
        self._store = store
        self._secret = secret

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (ClientError, BotoCoreError) as error:
            response = getattr(error, "response", {})
            code = response.get("Error", {}).get("Code", type(error).__name__)
            raise StoreError(
                self._store, f"secret {self._secret}", f"Secrets Manager answers {code}",
                "Allow DescribeSecret, GetSecretValue, PutSecretValue, UpdateSecretVersionStage; run again",
            ) from None  # fmt: skip

    def labelled(self, label: str) -> str | None:
        """The version that carries a label."""
        with self._explained():
            stages = self._client.describe_secret(SecretId=self._secret).get("VersionIdsToStages", {})
        return next((version for version, labels in stages.items() if label in labels), None)

    def prepare(self, current: str, username: str) -> str:
        """Make the version that follows the current one, unless an earlier run has."""
        version = str(uuid.uuid5(_VERSIONS, current))
        with self._explained():
            stages = self._client.describe_secret(SecretId=self._secret).get("VersionIdsToStages", {})
            if version in stages:
                return version
            value = self._client.get_secret_value(SecretId=self._secret, VersionId=current)["SecretString"]
            password = secrets.token_urlsafe(_PASSWORD_BYTES)
            # Whatever else is in the secret (host, port) stays.
            text = json.dumps({**json.loads(value), "username": username, "password": password})
            # Where another run has put its password first, that one counts.
            with suppress(self._client.exceptions.ResourceExistsException):
                self._client.put_secret_value(
                    SecretId=self._secret,
                    ClientRequestToken=version,
                    SecretString=text,
                    VersionStages=[PENDING],
                )
        return version

    def promote(self, version: str, current: str) -> None:
        """Make a version the current one."""
        with self._explained():
            try:
                self._client.update_secret_version_stage(
                    SecretId=self._secret,
                    VersionStage=CURRENT,
                    MoveToVersionId=version,
                    RemoveFromVersionId=current,
                )
            except self._client.exceptions.InvalidParameterException:
                if self.labelled(CURRENT) != version:
                    raise

    def forget_pending(self, version: str) -> None:
        """Take the pending label off; the end of a rotation."""
        if self.labelled(PENDING) != version:
            return
        with self._explained():
            try:
                self._client.update_secret_version_stage(
                    SecretId=self._secret, VersionStage=PENDING, RemoveFromVersionId=version
                )
            except self._client.exceptions.InvalidParameterException:
                if self.labelled(PENDING) == version:
                    raise


def _find(stores: Stores, secret: str) -> tuple[Store, User, AbstractContextManager[_Login]]:
    for store, user, login in _logins(stores):
        if user.secret == secret:
            return store, user, login
    raise PlanError(f"no user of the plan has the secret {secret!r}: give the full ARN as the plan has it")


def _logins(stores: Stores) -> Iterator[tuple[Store, User, AbstractContextManager[_Login]]]:
    """Every user with the way to its login; nothing is opened before the way is taken."""
    for server in stores.plan.postgres:
        for database in server.databases:
            for role in database.roles:
                yield server, role, _postgres_login(stores, server, database)
    for cluster in stores.plan.mongodb:
        for user in cluster.users:
            yield cluster, user, _mongodb_login(stores, cluster)
    for broker in stores.plan.rabbitmq:
        for rabbit_user in broker.users:
            yield broker, rabbit_user, _rabbitmq_login(stores, broker, rabbit_user)


@contextmanager
def _postgres_login(stores: Stores, server: PostgresServer, database: PostgresDatabase) -> Iterator[_Login]:
    access = stores.postgres(server)
    with access.locked() as connection:
        yield _Login(partial(access.set_password, connection), partial(access.accepts, database.name))


@contextmanager
def _mongodb_login(stores: Stores, cluster: MongoCluster) -> Iterator[_Login]:
    with stores.mongodb(cluster) as access:
        yield _Login(access.set_password, access.accepts)


@contextmanager
def _rabbitmq_login(stores: Stores, broker: RabbitBroker, user: RabbitUser) -> Iterator[_Login]:
    access = stores.rabbitmq(broker)
    vhost = user.permissions[0].vhost

    def set_password(login: Credentials) -> None:
        # Setting a password creates a user that is not there, and one without permissions could not log in.
        if access.get("users", login.username) is None:
            raise StoreError(
                broker.name, f"user {login.username}", "is not there yet", "Run the bootstrap first"
            )
        access.set_password(login)

    yield _Login(set_password, lambda login: access.accepts(login, vhost))
