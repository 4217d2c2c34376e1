"""Users and user groups: who may do what in a cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from moto.elasticache import models
from moto.elasticache.exceptions import UserNotFound

from cloudcommerce_sandbox.emulator.wire import ApiError

MAX_PASSWORDS = 2  # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html


@dataclass
class UserGroup:
    """A set of users that replication groups admit."""

    arn: str
    user_group_id: str
    engine: str
    user_ids: list[str]
    status: str = "active"
    minimum_engine_version: str = "6.0"
    replication_groups: list[str] = field(default_factory=list)


class AccessMixin(models.ElastiCacheBackend):
    """Users and user groups of an ElastiCache backend."""

    SERVICE_NAMESPACE = "elasticache"
    user_groups: dict[str, UserGroup]

    def modify_user(self, user_id: str, settings: Mapping[str, Any]) -> models.User:
        """Changes a user; new passwords take the place of all old ones.

        Raises:
            ApiError: InvalidParameterValue for more than two passwords.
            UserNotFound: there is no such user.
        """
        user = self.users.get(user_id)
        if user is None:
            raise UserNotFound(user_id)
        mode = settings.get("authentication_mode") or {}
        passwords = settings.get("passwords") or mode.get("Passwords")
        if passwords:
            if len(set(passwords)) > MAX_PASSWORDS:
                raise ApiError("InvalidParameterValue", f"A user has at most {MAX_PASSWORDS} passwords.")
            user.passwords = list(passwords)
            user.no_password_required, user.authentication_type = False, "password"
        elif settings.get("no_password_required") or mode.get("Type") == "no-password-required":
            user.passwords = []
            user.no_password_required, user.authentication_type = True, "no-password-required"
        elif mode.get("Type") == "iam":
            user.passwords = []
            user.no_password_required, user.authentication_type = False, "iam"
        if settings.get("access_string"):
            user.access_string = settings["access_string"]
        if settings.get("append_access_string"):
            user.access_string = f"{user.access_string} {settings['append_access_string']}"
        return user

    def delete_user(self, user_id: str) -> models.User:
        """Deletes a user and takes it from its groups; moto's stays until it is described."""
        if user_id not in self.users:
            raise UserNotFound(user_id)
        if user_id == "default":
            raise ApiError("InvalidParameterValue", "The default user cannot be deleted.")
        user = self.users.pop(user_id)
        for group in self.user_groups.values():
            group.user_ids = [member for member in group.user_ids if member != user_id]
        self.tagging_service.delete_all_tags_for_resource(user.arn)
        user.status = "deleting"
        return user

    def create_user_group(
        self, user_group_id: str, engine: str, user_ids: Sequence[str], tags: list[dict[str, str]]
    ) -> UserGroup:
        """Creates a user group.

        Raises:
            ApiError: UserGroupAlreadyExists, or what is wrong with its users.
            UserNotFound: one of the users does not exist.
        """
        if user_group_id in self.user_groups:
            raise ApiError("UserGroupAlreadyExists", f"User Group {user_group_id} already exists.")
        self._check_members(engine, user_ids)
        arn = f"arn:aws:elasticache:{self.region_name}:{self.account_id}:usergroup:{user_group_id}"
        group = UserGroup(arn, user_group_id, engine, list(user_ids))
        self.user_groups[user_group_id] = group
        self.tagging_service.tag_resource(arn, tags)
        self._note_memberships()
        return group

    def describe_user_groups(self, user_group_id: str | None) -> list[UserGroup]:
        """Returns one user group or all, each with the replication groups that use it."""
        groups = [self._user_group(user_group_id)] if user_group_id else list(self.user_groups.values())
        for group in groups:
            group.replication_groups = self._users_of(group.user_group_id)
        return groups

    def modify_user_group(
        self, user_group_id: str, to_add: Sequence[str], to_remove: Sequence[str]
    ) -> UserGroup:
        """Adds users to a group and removes users from it."""
        group = self._user_group(user_group_id)
        members = [member for member in group.user_ids if member not in to_remove]
        members = list(dict.fromkeys([*members, *to_add]))
        self._check_members(group.engine, members)
        group.user_ids = members
        self._note_memberships()
        return group

    def delete_user_group(self, user_group_id: str) -> UserGroup:
        """Deletes a user group that no replication group uses.

        Raises:
            ApiError: InvalidUserGroupState while one does.
        """
        group = self._user_group(user_group_id)
        users = self._users_of(user_group_id)
        if users:
            message = f"User group {user_group_id} is associated with {', '.join(users)}."
            raise ApiError("InvalidUserGroupState", message)
        del self.user_groups[user_group_id]
        self.tagging_service.delete_all_tags_for_resource(group.arn)
        self._note_memberships()
        group.status = "deleting"
        return group

    def _user_group(self, user_group_id: str) -> UserGroup:
        if user_group_id not in self.user_groups:
            raise ApiError("UserGroupNotFound", f"User Group {user_group_id} not found.")
        return self.user_groups[user_group_id]

    def _users_of(self, user_group_id: str) -> list[str]:
        return [name for name, g in self.replication_groups.items() if user_group_id in g.user_group_ids]

    def _check_members(self, engine: str, user_ids: Sequence[str]) -> None:
        for user_id in user_ids:
            if user_id not in self.users:
                raise UserNotFound(user_id)
        members = [self.users[user_id] for user_id in user_ids]
        names = [member.name for member in members]
        if len(set(names)) < len(names):
            raise ApiError("DuplicateUserName", f"User names in a group must differ: {', '.join(names)}.")
        # Only Redis OSS groups need a default user, and only Valkey groups take users of both engines:
        # https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Clusters.RBAC.html
        if engine == "redis":
            if "default" not in names:
                raise ApiError("DefaultUserRequired", "A default user is required and must be specified.")
            if any(member.engine != "redis" for member in members):
                raise ApiError("InvalidParameterCombination", "A redis user group takes only redis users.")

    def _note_memberships(self) -> None:
        for user in self.users.values():
            user.user_group_ids = [
                group.user_group_id for group in self.user_groups.values() if user.id in group.user_ids
            ]
