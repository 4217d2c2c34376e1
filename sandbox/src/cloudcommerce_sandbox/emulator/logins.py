"""Whether a store would let somebody in: the stores are played, so no client can try."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cloudcommerce_sandbox.emulator.guards import state


@dataclass(frozen=True)
class Login:
    """An attempt to log in.

    Attributes:
        store: `instance` or `cluster` (their master user) or `cache-user`.
        id: identifier of the instance, the cluster or the user.
        password: password to try.
        region: region of the store.
    """

    store: str
    id: str
    password: str
    region: str = "us-east-1"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Login:
        """Returns the attempt that a JSON object describes.

        Raises:
            TypeError: a member is missing or unknown.
            ValueError: there is no such kind of store.
        """
        attempt = cls(**document)
        if attempt.store not in _PASSWORDS:
            raise ValueError(f"store is {attempt.store!r}; take one of {', '.join(_PASSWORDS)}")
        return attempt

    def is_accepted(self) -> bool:
        """Whether the password is valid now; no one gets into a store that does not stand."""
        return self.password in _PASSWORDS[self.store](self)


def _of_instance(login: Login) -> list[str]:
    instance = state.backend("rds", login.region).databases.get(login.id)
    return [] if instance is None else [instance._master_user_password]


def _of_cluster(login: Login) -> list[str]:
    cluster = state.backend("rds", login.region).clusters.get(login.id)
    return [] if cluster is None else [cluster._master_user_password]


def _of_cache_user(login: Login) -> list[str]:
    user = state.backend("elasticache", login.region).users.get(login.id)
    return [] if user is None else list(user.passwords)


_PASSWORDS: dict[str, Callable[[Login], list[str]]] = {
    "instance": _of_instance,
    "cluster": _of_cluster,
    "cache-user": _of_cache_user,
}
