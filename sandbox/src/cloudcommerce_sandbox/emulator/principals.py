"""Who an access key belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from moto.core.models import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.core.utils import utcnow
from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

SANDBOX_USER = f"arn:aws:iam::{ACCOUNT}:user/moto"
"""Whoever calls with a key that IAM has not given out."""

# The sandbox's own credentials, which everything in a session has in its environment.
_SANDBOX_KEY = "sandbox"
_SANDBOX_SECRET = "sandbox"  # noqa: S105 - opens nothing but this emulator


@dataclass(frozen=True)
class Principal:
    """An IAM principal.

    Attributes:
        arn: of the user, or of the role itself and not of a session of it.
        session_arn: what GetCallerIdentity answers.
        user_id: identifier of the user, or of the role with the session's name.
        session_name: name of the role's session; empty for a user.
        secret: secret access key, for keys that the emulator has given out.
        session_token: goes with the temporary keys of a role.
        is_valid: whether the key still opens anything: it is active, its session has not expired, and the
            role of the session is there.
    """

    arn: str
    session_arn: str
    user_id: str
    session_name: str = ""
    secret: str | None = None
    session_token: str | None = None
    is_valid: bool = True


def principal_of(access_key: str) -> Principal:
    """Returns the principal that an access key belongs to.

    Args:
        access_key: access key ID. One that nobody was given is the account's own user, as moto has it, and
            only that of the sandbox itself has a secret.
    """
    sts, iam = sts_backends[ACCOUNT]["aws"], iam_backends[ACCOUNT]["aws"]
    session = sts.get_assumed_role_from_access_key(access_key)
    if session is not None:
        return Principal(
            session.role_arn,
            session.arn,
            session.user_id,
            session.session_name,
            session.secret_access_key,
            session.session_token,
            is_valid=utcnow() < session.expiration
            and session.role_arn in {role.arn for role in iam.roles.values()},
        )
    for user in iam.users.values():
        for key in user.access_keys:
            if key.access_key_id == access_key:
                active = key.status == "Active"
                return Principal(user.arn, user.arn, user.id, secret=key.secret_access_key, is_valid=active)
    secret = _SANDBOX_SECRET if access_key == _SANDBOX_KEY else None
    user_id, session_arn, _ = sts.get_caller_identity(access_key, "us-east-1")
    return Principal(SANDBOX_USER, session_arn, user_id, secret=secret)
