"""Who the bearer of an EKS token is in a cluster: what aws-iam-authenticator and EKS access entries say.

The emulator verifies the token and names the IAM principal; access entries name the user and the groups. See
https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html and
https://docs.aws.amazon.com/eks/latest/userguide/creating-access-entries.html.
"""

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from cloudcommerce_sandbox.kubernetes.controllers.access import policy_group
from cloudcommerce_sandbox.kubernetes.model import AccessEntry, ClusterSpec

_TIMEOUT_SECONDS = 10.0
_VERIFIED_SECONDS = 15.0
_KEPT = 256
_NODE_GROUPS = ("system:bootstrappers", "system:nodes")
_NODE_TYPES = {"EC2_LINUX", "EC2_WINDOWS", "FARGATE_LINUX", "HYBRID_LINUX", "EC2"}
# A proxy that is set up for the internet must not see tokens.
_direct = build_opener(ProxyHandler({}))
_UNSAFE_IN_SESSION = re.compile(r"[^\w+=,.-]")


class RefusedError(Exception):
    """A token does not name anybody whom the cluster lets in; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Whom a verified token names.

    Attributes:
        arn: The role or user; for a session, of its role.
        session_arn: The session; the user's ARN again where there is no session.
        account_id: The account.
        user_id: IAM's unique id, without the session's name.
        session_name: The session's name; empty for a user.
        access_key_id: The key that signed the token; empty where it is not told.
    """

    arn: str
    session_arn: str
    account_id: str
    user_id: str
    session_name: str
    access_key_id: str = ""


@dataclass(frozen=True, kw_only=True)
class User:
    """A user of Kubernetes.

    Attributes:
        username: Its name.
        uid: What tells it from a namesake.
        groups: Its groups.
        extra: What else is known of it, as EKS tells it.
    """

    username: str
    uid: str
    groups: tuple[str, ...]
    extra: Mapping[str, tuple[str, ...]]


def user_of(identity: Identity, cluster: ClusterSpec) -> User:
    """Return whom a principal is in a cluster.

    Args:
        identity: The verified principal.
        cluster: The cluster with its access entries.

    Raises:
        RefusedError: It has no access entry there.
    """
    entry = next((item for item in cluster.access_entries if item.principal_arn == identity.arn), None)
    if entry is None and not (cluster.creator_is_admin and cluster.creator_arn == identity.arn):
        raise RefusedError(f"{identity.arn} has no access entry in the cluster {cluster.name}.")
    groups = _groups(entry) if entry else ()
    if cluster.creator_is_admin and cluster.creator_arn == identity.arn:
        groups = (*groups, policy_group("AmazonEKSClusterAdminPolicy"))
    template = entry.username if entry and entry.username else _default_username(identity)
    return User(
        username=_filled(template, identity),
        uid=f"aws-iam-authenticator:{identity.account_id}:{identity.user_id}",
        groups=tuple(dict.fromkeys(groups)),
        extra={
            "arn": (identity.session_arn,),
            "canonicalArn": (identity.arn,),
            "principalId": (identity.user_id,),
            "sessionName": (identity.session_name,),
            "accessKeyId": (identity.access_key_id,),
        },
    )


def _groups(entry: AccessEntry) -> tuple[str, ...]:
    policies = [
        policy_group(policy.name, namespace)
        for policy in entry.policies
        for namespace in (policy.namespaces or ("",))
    ]
    nodes = _NODE_GROUPS if entry.type in _NODE_TYPES else ()
    return (*entry.groups, *nodes, *policies)


def _default_username(identity: Identity) -> str:
    """Return what EKS calls a principal whose entry names no user: the session with a place for its name."""
    if not identity.session_name:
        return identity.arn
    role = identity.arn.rpartition("/")[2]
    return f"arn:aws:sts::{identity.account_id}:assumed-role/{role}/{{{{SessionName}}}}"


def _filled(template: str, identity: Identity) -> str:
    session = _UNSAFE_IN_SESSION.sub("-", identity.session_name.replace("@", "-"))
    values = {
        "SessionName": session,
        "SessionNameRaw": identity.session_name,
        "AccountID": identity.account_id,
        "AccessKeyID": identity.access_key_id,
        "EC2PrivateDNSName": identity.session_name,
    }
    for name, value in values.items():
        template = template.replace(f"{{{{{name}}}}}", value)
    return template


class Verifier:
    """Asks the emulator whom a token names, and remembers the answer for a few seconds.

    Only the emulator's answer is remembered: a changed access entry counts at once.

    Args:
        emulator: The emulator's address.
        clock: Seconds that only grow.
    """

    def __init__(self, emulator: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = f"{emulator.rstrip('/')}/sandbox-api/kubernetes/tokens"
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[tuple[str, str, str], tuple[float, Identity]] = {}

    def identity(self, cluster: str, region: str, token: str) -> Identity:
        """Return whom a token names.

        Args:
            cluster: The cluster that it is presented to.
            region: The cluster's region.
            token: The token, as `aws eks get-token` makes it.

        Raises:
            RefusedError: The emulator does not accept it, or can't be asked.
        """
        key = (cluster, region, token)
        with self._lock:
            until, known = self._known.get(key, (0.0, None))
        if known and self._clock() < until:
            return known
        identity = self._asked(cluster, region, token)
        with self._lock:
            now = self._clock()
            self._known = {item: value for item, value in self._known.items() if value[0] > now}
            if len(self._known) < _KEPT:
                self._known[key] = (now + _VERIFIED_SECONDS, identity)
        return identity

    def _asked(self, cluster: str, region: str, token: str) -> Identity:
        body = json.dumps({"cluster": cluster, "region": region, "token": token}).encode()
        request = Request(self._url, data=body, headers={"Content-Type": "application/json"}, method="POST")  # noqa: S310  # the emulator's own address
        try:
            with _direct.open(request, timeout=_TIMEOUT_SECONDS) as response:
                answer = json.load(response)
        except HTTPError as error:
            raise RefusedError(_reason(error)) from error
        except (URLError, TimeoutError, ConnectionError, ValueError) as error:
            raise RefusedError(f"The emulator could not be asked about the token: {error}") from error
        return Identity(
            arn=answer["arn"],
            session_arn=answer.get("sessionArn") or answer["arn"],
            account_id=answer["accountId"],
            user_id=answer["userId"],
            session_name=answer.get("sessionName") or "",
            access_key_id=answer.get("accessKeyId") or "",
        )


def _reason(error: HTTPError) -> str:
    try:
        content = json.loads(error.read())
    except ValueError:
        content = None
    told = content.get("error") if isinstance(content, dict) else None
    return str(told) if told else f"The emulator answered {error.code} about the token."


def review(body: Any, cluster: ClusterSpec, verifier: Verifier) -> dict[str, Any]:
    """Answer a TokenReview of the API server.

    Args:
        body: The review, decoded.
        cluster: The cluster as it stands at this moment.
        verifier: Who knows tokens.

    Returns:
        The review with its status.
    """
    spec = body.get("spec") if isinstance(body, dict) else None
    token = spec.get("token") if isinstance(spec, dict) else None
    status: dict[str, Any] = {"authenticated": False}
    if isinstance(token, str) and token:
        try:
            user = user_of(verifier.identity(cluster.name, cluster.region, token), cluster)
        except RefusedError as error:
            status["error"] = str(error)
        else:
            status = {
                "authenticated": True,
                "user": {
                    "username": user.username,
                    "uid": user.uid,
                    "groups": list(user.groups),
                    "extra": {key: list(values) for key, values in user.extra.items()},
                },
            }
    else:
        status["error"] = "The review has no token."
    return {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "status": status}
