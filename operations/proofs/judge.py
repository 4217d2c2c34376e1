"""The verdict on each claim: AWS or the cluster must say what is claimed, and that must be enough."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from ipaddress import ip_network
from typing import Any

from operations.clients import AWS_ERRORS, Clients
from operations.cluster.connection import Clusters
from operations.errors import OperationError
from operations.proofs.cluster_evidence import IN_CLUSTER
from operations.proofs.contract import Claim
from operations.proofs.evidence import LOOKUPS

_LOOKERS = 8


@dataclass(frozen=True)
class Proof:
    """A judged claim.

    Attributes:
        claim: The claim.
        passed: Whether it holds.
        call: The API call that was made.
        observed: What it answered.
        reason: Why it does not hold; empty when it does.
    """

    claim: Claim
    passed: bool
    call: str
    observed: Any
    reason: str

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def prove(claims: Sequence[Claim], clients: Clients, clusters: Clusters) -> tuple[Proof, ...]:
    """Judge claims.

    Args:
        claims: The claims.
        clients: Clients of the stack's region.
        clusters: The stack's clusters.

    Returns:
        A proof per claim, in their order. What cannot be looked up does not hold.
    """
    with ThreadPoolExecutor(_LOOKERS) as pool:
        return tuple(pool.map(lambda claim: _prove(claim, clients, clusters), claims))


def _prove(claim: Claim, clients: Clients, clusters: Clusters) -> Proof:
    in_aws, in_cluster = LOOKUPS.get(claim.fact), IN_CLUSTER.get(claim.fact)
    call = in_aws.call if in_aws else in_cluster.call if in_cluster else ""
    try:
        if in_aws:
            observed = in_aws.look(clients, claim.subject)
        elif in_cluster:
            observed = in_cluster.look(clusters, claim.subject)
        else:
            return Proof(claim, False, call, None, "this program knows no proof of it; update `operations`")
    except (OperationError, *AWS_ERRORS) as error:
        asked = "AWS" if in_aws else "Kubernetes"
        return Proof(claim, False, call, None, f"{asked} does not show it: {str(error).splitlines()[0]}")
    return Proof(claim, not (reason := objection(claim, observed)), call, observed, reason)


def objection(claim: Claim, observed: Any) -> str:
    """Return why an observed value does not prove a claim; empty when it does."""
    compare = _COMPARISONS.get(claim.comparison)
    if compare is None:
        return f"unknown comparison {claim.comparison!r}; update `operations`"
    if not compare(observed, claim.operand):
        required = claim.comparison if claim.operand is None else f"{claim.comparison} {claim.operand!r}"
        return f"it is {observed!r}, required is {required}"
    if _plain(observed) != _plain(claim.value):
        return f"it is {observed!r}, the audit output claims {claim.value!r}: drift since the last `up`"
    return ""


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, list | tuple) else value


def _equals(observed: Any, operand: Any) -> bool:
    # `True == 1` in Python, but an encrypted volume is not the number one.
    return type(observed) is type(operand) and bool(observed == operand)


def _at_least(observed: Any, operand: Any) -> bool:
    return isinstance(observed, int) and bool(observed >= operand)


def _at_most(observed: Any, operand: Any) -> bool:
    return isinstance(observed, int) and 0 < observed <= int(operand)


def _one_of(observed: Any, operand: Any) -> bool:
    return observed in operand


def _within(observed: Any, operand: Any) -> bool:
    if not isinstance(observed, list) or not isinstance(operand, list | tuple):
        return False
    return all(_admissible(str(each).split()[-1:], operand) for each in observed)


def _admissible(source: Sequence[str], allowed: Sequence[str]) -> bool:
    if not source:
        return False
    if source[0].startswith("sg-") or source[0] in allowed:
        return True
    try:
        network = ip_network(source[0])
        ranges = [ip_network(each) for each in allowed if "/" in each]
    except ValueError:
        return False
    # Each range by itself, and not only the Internet's: two halves of it are the Internet too.
    return any(network.version == each.version and network.subnet_of(each) for each in ranges)  # type: ignore[arg-type]


def _present(observed: Any, _: Any) -> bool:
    return bool(observed)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "equals": _equals,
    "atLeast": _at_least,
    "atMost": _at_most,
    "oneOf": _one_of,
    "within": _within,
    "present": _present,
}
