"""Users of a DocumentDB cluster: each with one role on one database.

DocumentDB keeps all users in `admin` and compares roles by name, so a user's roles are set as a whole. It
takes passwords only in clear inside the TLS session; unlike PostgreSQL and RabbitMQ it accepts no verifier.
"""

import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from pymongo import MongoClient
from pymongo.errors import ConnectionFailure, OperationFailure, PyMongoError

from operations.bootstrap.credentials import Credentials
from operations.bootstrap.errors import StoreError, StoreUnreachableError
from operations.bootstrap.plan import MongoCluster, MongoUser
from operations.bootstrap.report import Action, Change, Problem, Report
from operations.bootstrap.waiting import until_reachable

_AUTHENTICATION_FAILED = 18
_USER_EXISTS = 51003
_USERS_DATABASE = "admin"
_TIMEOUT_MS = 10_000

Document = dict[str, Any]
Client = MongoClient[Document]


class ClusterAccess:
    """How the bootstrap reaches a cluster; a context manager around the master's connection."""

    def __init__(
        self, cluster: MongoCluster, master: Credentials, ca_file: Path | None, patience: float
    ) -> None:
        self.cluster = cluster
        self._master = master
        self._ca_file = ca_file
        self._patience = patience
        self._client: Client | None = None

    def __enter__(self) -> "ClusterAccess":
        client = self._open(self._master)
        try:
            until_reachable(partial(self._ping, client), self._patience)
        except OperationFailure:
            client.close()
            raise StoreError(
                self.cluster.name, f"login {self._master.username}", "the master's password is refused",
                "Put the right password into the master secret, or wait for its rotation to finish",
            ) from None  # fmt: skip
        self._client = client
        return self

    def __exit__(self, *_: object) -> None:
        if self._client:
            self._client.close()

    def _open(self, login: Credentials) -> Client:
        return MongoClient(
            host=self.cluster.host,
            port=self.cluster.port,
            username=login.username,
            password=login.password,
            authSource=_USERS_DATABASE,
            tls=True,
            tlsCAFile=str(self._ca_file) if self._ca_file else None,
            # DocumentDB knows no retryable writes, and a name that is no member's is asked as it stands.
            retryWrites=False,
            directConnection=True,
            serverSelectionTimeoutMS=_TIMEOUT_MS,
            appname="cloudcommerce-bootstrap",
        )

    def _ping(self, client: Client) -> None:
        try:
            client[_USERS_DATABASE].command("ping")
        except ConnectionFailure as error:
            text = str(error).split(", Timeout:", maxsplit=1)[0]
            kind = StoreError if "CERTIFICATE_VERIFY_FAILED" in text else StoreUnreachableError
            raise kind(
                self.cluster.name, f"server {self.cluster.host}:{self.cluster.port}", text,
                "Check that the cluster is available and admits this machine, and the ca_file",
            ) from None  # fmt: skip

    def accepts(self, login: Credentials) -> bool:
        """Whether the cluster takes a login's password, tried by logging in."""
        with self._open(login) as client:
            try:
                until_reachable(partial(self._ping, client), self._patience)
            except OperationFailure as error:
                if error.code != _AUTHENTICATION_FAILED:
                    raise self._refused(f"user {login.username}", error) from None
                return False
        return True

    def roles(self, user: str) -> list[tuple[str, str]] | None:
        """The (role, database) pairs of a user; None when there is no such user."""
        found = self._command({"usersInfo": {"user": user, "db": _USERS_DATABASE}}, f"user {user}")["users"]
        if not found:
            return None
        return sorted((role["role"], role["db"]) for role in found[0].get("roles", []))

    def create(self, user: MongoUser, login: Credentials) -> bool:
        """Create a user with its role; False when another run was faster."""
        command = {"createUser": login.username, "pwd": login.password, "roles": _roles(user)}
        try:
            self._command(command, f"user {login.username}")
        except StoreError as error:
            if isinstance(error.__cause__, OperationFailure) and error.__cause__.code == _USER_EXISTS:
                return False
            raise
        return True

    def set_roles(self, user: MongoUser, login: str) -> None:
        """Replace all roles of a user by the plan's one."""
        self._command({"updateUser": login, "roles": _roles(user)}, f"user {login}")

    def set_password(self, login: Credentials) -> None:
        """Give a user a password."""
        self._command({"updateUser": login.username, "pwd": login.password}, f"user {login.username}")

    def _command(self, command: Document, subject: str) -> Document:
        assert self._client is not None, "used outside of its with block"  # noqa: S101 - a programming error
        try:
            return self._client[_USERS_DATABASE].command(command)
        except PyMongoError as error:
            refused = self._refused(subject, error)
            raise refused from (error if getattr(error, "code", None) == _USER_EXISTS else None)

    def _refused(self, subject: str, error: PyMongoError) -> StoreError:
        """The server's code, not its text: a message about a command may quote the command."""
        details = getattr(error, "details", None) or {}
        reason = details.get("codeName") or type(error).__name__
        return StoreError(self.cluster.name, subject, f"the cluster answers {reason}",
                          "See that the master user has the userAdmin rights it is created with")  # fmt: skip


def _roles(user: MongoUser) -> list[Document]:
    return [{"role": user.role, "db": user.database}]


def converge(access: ClusterAccess, credentials: Callable[[MongoUser], Credentials], report: Report) -> None:
    """Bring a cluster's users in line with the plan and report what it took.

    Args:
        access: The cluster, entered.
        credentials: Reads the current credentials of a user.
        report: Gets the changes and problems.
    """
    for user in access.cluster.users:
        try:
            _converge_user(access, user, credentials(user), report)
        except StoreError as error:
            report.problems.append(Problem.of(error))


def _converge_user(access: ClusterAccess, user: MongoUser, current: Credentials, report: Report) -> None:
    if current.username not in user.logins:
        raise StoreError(
            access.cluster.name, f"secret {user.secret}", f"names the user {current.username!r}",
            f"Its username must be {' or '.join(user.logins)}",
        )  # fmt: skip
    for login in user.logins:
        # The other login of an alternating user gets a password that nobody knows, until its turn comes.
        wanted = current if login == current.username else Credentials(login, secrets.token_urlsafe(48))
        for change in _converge_login(
            access, user, wanted, check_password=wanted is current, act=not report.dry_run
        ):
            report.changes.append(Change(access.cluster.name, *change))


def _converge_login(
    access: ClusterAccess, user: MongoUser, login: Credentials, *, check_password: bool, act: bool
) -> list[tuple[Action, str, str]]:
    subject = f"user {login.username}"
    wanted = [(user.role, user.database)]
    found = access.roles(login.username)
    if found is None:
        if not act or access.create(user, login):
            return [(Action.CREATED, subject, f"{user.role} on {user.database}")]
        found = access.roles(login.username) or []
    changes = []
    if found != wanted:
        if act:
            access.set_roles(user, login.username)
        extra = sorted(set(found) - set(wanted))
        names = ", ".join(f"{role} on {database}" for role, database in extra)
        changes.append(
            (Action.REVOKED, subject, names) if extra
            else (Action.GRANTED, subject, f"{user.role} on {user.database}")
        )  # fmt: skip
    if check_password and not access.accepts(login):
        if act:
            access.set_password(login)
        changes.append((Action.UPDATED, subject, "password from its secret"))
    return changes
