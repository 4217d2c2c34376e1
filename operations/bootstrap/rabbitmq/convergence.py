"""Brings one RabbitMQ broker in line with the plan.

Each call of the management API is one idempotent PUT or DELETE. So two runs at a time do the same calls twice
and both end where the plan says; unlike PostgreSQL no lock is needed.
"""

from collections.abc import Callable, Iterable
from typing import Any

from operations.bootstrap.credentials import Credentials
from operations.bootstrap.errors import StoreError
from operations.bootstrap.plan import RabbitBroker, RabbitPolicy, RabbitUser
from operations.bootstrap.rabbitmq.management import BrokerAccess, is_hash_of
from operations.bootstrap.report import Action, Change, Problem, Report

_AMAZON_MQS_OWN = "AWS-OWNED-DO-NOT-DELETE"
_PERMISSION_FIELDS = ("configure", "write", "read")


def converge(access: BrokerAccess, credentials: Callable[[RabbitUser], Credentials], report: Report) -> None:
    """Bring a broker in line with the plan and report what it took.

    Args:
        access: The broker.
        credentials: Reads the current credentials of a user.
        report: Gets the changes and problems; a problem with one user does not keep the others from their
            due.

    Raises:
        StoreError: the broker as a whole cannot be worked on.
    """
    _Convergence(access, report).run(credentials)


class _Convergence:
    """One run over one broker."""

    def __init__(self, access: BrokerAccess, report: Report) -> None:
        self._access = access
        self._broker: RabbitBroker = access.broker
        self._report = report

    def run(self, credentials: Callable[[RabbitUser], Credentials]) -> None:
        """Users are made closed, get their permissions, and only then their password."""
        vhosts = {vhost["name"] for vhost in self._access.get("vhosts")}
        for vhost in self._broker.vhosts:
            if vhost.name not in vhosts:
                self._do(
                    Action.CREATED, f"vhost {vhost.name}", "", self._access.put, {}, "vhosts", vhost.name
                )
            self._converge_policies(vhost.name, vhost.policies)
        users = {user["name"]: user for user in self._access.get("users")}
        for user in self._broker.users:
            for login in user.logins:
                self._converge_tags(login, users.get(login))
        self._converge_permissions()
        self._converge_topic_permissions()
        for user in self._broker.users:
            try:
                self._converge_password(user, credentials(user), users)
            except StoreError as error:
                self._report.problems.append(Problem.of(error))

    def _do(
        self, action: Action, subject: str, detail: str, call: Callable[..., None], *arguments: Any
    ) -> None:
        if not self._report.dry_run:
            call(*arguments)
        self._report.changes.append(Change(self._broker.name, action, subject, detail))

    def _converge_policies(self, vhost: str, policies: Iterable[RabbitPolicy]) -> None:
        found = {policy["name"]: policy for policy in self._access.get("policies", vhost) or []}
        for policy in policies:
            actual = found.pop(policy.name, None)
            body = {
                "pattern": policy.pattern, "definition": policy.definition,
                "apply-to": policy.apply_to, "priority": policy.priority,
            }  # fmt: skip
            if actual is None or any(actual[key] != value for key, value in body.items()):
                action = Action.UPDATED if actual else Action.CREATED
                subject = f"policy {policy.name}"
                self._do(
                    action,
                    subject,
                    f"in vhost {vhost}",
                    self._access.put,
                    body,
                    "policies",
                    vhost,
                    policy.name,
                )
        for extra in found:
            if _AMAZON_MQS_OWN not in extra:
                self._do(Action.REVOKED, f"policy {extra}", f"in vhost {vhost}", self._access.delete,
                         "policies", vhost, extra)  # fmt: skip

    def _converge_tags(self, login: str, found: dict[str, Any] | None) -> None:
        if found is None:
            self._do(Action.CREATED, f"user {login}", "no tags", self._access.close_to_login, login)
        elif found["tags"]:
            # RabbitMQ 3.8 and older gave the tags as one string.
            tags = found["tags"] if isinstance(found["tags"], str) else ", ".join(found["tags"])
            body = {"password_hash": found["password_hash"], "hashing_algorithm": found["hashing_algorithm"],
                    "tags": ""}  # fmt: skip
            self._do(Action.REVOKED, f"user {login}", f"tags {tags}", self._access.put, body, "users", login)

    def _converge_permissions(self) -> None:
        """In the plan's vhosts for everybody, elsewhere for the plan's users."""
        wanted = {
            (permission.vhost, login): permission.model_dump(include=set(_PERMISSION_FIELDS))
            for user in self._broker.users
            for login in user.logins
            for permission in user.permissions
        }
        found = {
            (entry["vhost"], entry["user"]): {field: entry[field] for field in _PERMISSION_FIELDS}
            for entry in self._access.get("permissions")
            if self._is_ours(entry)
        }
        for vhost, login in sorted(found.keys() - wanted.keys()):
            self._do(Action.REVOKED, f"user {login}", f"permission in vhost {vhost}", self._access.delete,
                     "permissions", vhost, login)  # fmt: skip
        for (vhost, login), permission in sorted(wanted.items()):
            if found.get((vhost, login)) != permission:
                detail = ", ".join(f"{field} {pattern}" for field, pattern in permission.items())
                action = Action.UPDATED if (vhost, login) in found else Action.GRANTED
                self._do(action, f"user {login}", f"vhost {vhost}: {detail}", self._access.put,
                         permission, "permissions", vhost, login)  # fmt: skip

    def _converge_topic_permissions(self) -> None:
        """The plan has none, and without one a user's ordinary permissions hold."""
        for entry in self._access.get("topic-permissions"):
            if self._is_ours(entry):
                vhost, login = entry["vhost"], entry["user"]
                self._do(Action.REVOKED, f"user {login}", f"topic permission in vhost {vhost}",
                         self._access.delete, "topic-permissions", vhost, login)  # fmt: skip

    def _is_ours(self, entry: dict[str, Any]) -> bool:
        logins = {login for user in self._broker.users for login in user.logins}
        if entry["user"] in logins:
            return True
        in_our_vhost = entry["vhost"] in {vhost.name for vhost in self._broker.vhosts}
        return in_our_vhost and entry["user"] != self._access.master and _AMAZON_MQS_OWN not in entry["user"]

    def _converge_password(
        self, user: RabbitUser, login: Credentials, users: dict[str, dict[str, Any]]
    ) -> None:
        if login.username not in user.logins:
            raise StoreError(
                self._broker.name, f"secret {user.secret}", f"names the user {login.username!r}",
                f"Its username must be {' or '.join(user.logins)}",
            )  # fmt: skip
        found = users.get(login.username, {})
        if not is_hash_of(found.get("password_hash", ""), found.get("hashing_algorithm", ""), login.password):
            self._do(Action.UPDATED, f"user {login.username}", "password from its secret",
                     self._access.set_password, login)  # fmt: skip
