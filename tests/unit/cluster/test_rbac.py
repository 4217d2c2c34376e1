"""What each group may do, asked as the API server asks it."""

from collections.abc import Iterator, Sequence

import pytest

from components.cluster.rbac import AUDITOR, CI, RELEASE, DeveloperRights, Rule, developer

pytestmark = pytest.mark.mission_M35

READ = ("get", "list", "watch")
WRITE = ("create", "update", "patch", "delete")
ROLES = {
    "auditor": AUDITOR,
    "ci": CI,
    "release": RELEASE,
    "operate": developer(DeveloperRights.OPERATE),
    "deploy": developer(DeveloperRights.DEPLOY),
}


def allows(rules: Sequence[Rule], verb: str, resource: str, group: str = "") -> bool:
    """As the RBAC authorizer matches: `*` stands for anything, and a subresource is a resource of its own."""
    return any(
        verb in rule.verbs
        and (group in rule.groups or "*" in rule.groups)
        and (resource in rule.resources or "*" in rule.resources)
        for rule in rules
    )


def asked(rules: Sequence[Rule]) -> Iterator[tuple[str, str, str]]:
    for rule in rules:
        yield from ((v, r, g) for v in rule.verbs for r in rule.resources for g in rule.groups)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", [*READ, *WRITE])
def test_nobody_reaches_secrets(role: str, verb: str) -> None:
    assert not allows(ROLES[role], verb, "secrets")


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("verb", "resource", "group"),
    [
        # Each of these opens a connection into a pod or a node, `get` too.
        ("get", "pods/exec", ""),
        ("create", "pods/exec", ""),
        ("get", "pods/attach", ""),
        ("create", "pods/portforward", ""),
        ("get", "pods/proxy", ""),
        ("get", "services/proxy", ""),
        ("get", "nodes/proxy", ""),
        # These make tokens or certificates of somebody else, or skip the check of what is handed on.
        ("create", "serviceaccounts/token", ""),
        ("create", "certificatesigningrequests", "certificates.k8s.io"),
        ("impersonate", "users", ""),
        ("impersonate", "groups", ""),
        ("escalate", "clusterroles", "rbac.authorization.k8s.io"),
        ("bind", "clusterroles", "rbac.authorization.k8s.io"),
        ("impersonate", "serviceaccounts", ""),
        # These put code of one's own into pods, nodes or the API server, or take a pod's limits off.
        ("patch", "pods/ephemeralcontainers", ""),
        ("create", "pods/binding", ""),
        ("create", "daemonsets", "apps"),
        ("create", "persistentvolumes", ""),
        ("update", "nodes", ""),
        ("create", "mutatingwebhookconfigurations", "admissionregistration.k8s.io"),
        ("patch", "validatingwebhookconfigurations", "admissionregistration.k8s.io"),
        ("create", "apiservices", "apiregistration.k8s.io"),
        # A namespace takes its secrets along.
        ("delete", "namespaces", ""),
        ("update", "namespaces/finalize", ""),
    ],
)
def test_nobody_has_a_way_around(role: str, verb: str, resource: str, group: str) -> None:
    assert not allows(ROLES[role], verb, resource, group)


def test_no_rule_is_for_all_groups_or_all_verbs() -> None:
    rules = [rule for each in ROLES.values() for rule in each]

    assert not [rule for rule in rules if "*" in rule.groups or "*" in rule.verbs]
    assert not [rule for rule in rules if "" in rule.groups and "*" in rule.resources]


def test_the_auditor_reads_and_does_nothing_else() -> None:
    assert {verb for verb, _, _ in asked(AUDITOR)} == set(READ)
    for resource, group in (
        ("pods", ""), ("pods/log", ""), ("nodes", ""), ("events", ""), ("deployments", "apps"),
        ("clusterrolebindings", "rbac.authorization.k8s.io"), ("networkpolicies", "networking.k8s.io"),
        ("storageclasses", "storage.k8s.io"), ("customresourcedefinitions", "apiextensions.k8s.io"),
    ):  # fmt: skip
        assert all(allows(AUDITOR, verb, resource, group) for verb in READ), (resource, group)


def test_developers_in_production_start_no_pod() -> None:
    """Whoever starts a pod may mount the namespace's secrets."""
    rules = ROLES["operate"]

    for resource, group in (
        ("pods", ""), ("replicationcontrollers", ""), ("deployments", "apps"), ("statefulsets", "apps"),
        ("daemonsets", "apps"), ("replicasets", "apps"), ("jobs", "batch"), ("cronjobs", "batch"),
    ):  # fmt: skip
        assert not any(allows(rules, verb, resource, group) for verb in ("create", "update", "patch"))
    assert allows(rules, "delete", "pods")
    assert allows(rules, "get", "pods/log")
    assert allows(rules, "patch", "deployments/scale", "apps")


def test_developers_in_staging_deploy() -> None:
    assert all(allows(ROLES["deploy"], verb, "deployments", "apps") for verb in (*READ, *WRITE))


@pytest.mark.parametrize("role", ["operate", "deploy", "release"])
def test_work_in_a_namespace_leaves_its_guard_rails_alone(role: str) -> None:
    for resource, group in (
        ("namespaces", ""), ("resourcequotas", ""), ("limitranges", ""), ("serviceaccounts", ""),
        ("networkpolicies", "networking.k8s.io"), ("roles", "rbac.authorization.k8s.io"),
        ("rolebindings", "rbac.authorization.k8s.io"),
    ):  # fmt: skip
        assert not any(allows(ROLES[role], verb, resource, group) for verb in WRITE), resource


def covers(held: Sequence[Rule], verb: str, resource: str, group: str) -> bool:
    """As the API server checks what a role would hand on: a `*` is covered by a `*` only."""
    return any(
        verb in rule.verbs and group in rule.groups and (resource in rule.resources or "*" in rule.resources)
        for rule in held
    )


@pytest.mark.parametrize(
    ("written", "held"),
    [
        # Roles of the cluster: what ci holds everywhere.
        (AUDITOR, CI),
        (CI, CI),
        # Roles of a namespace in which it releases.
        (RELEASE, [*CI, *RELEASE]),
        (ROLES["operate"], [*CI, *RELEASE]),
    ],
)
def test_ci_holds_what_it_hands_on(written: Sequence[Rule], held: Sequence[Rule]) -> None:
    """Without `escalate` it may write a role only if it holds everything in it."""
    assert not [each for each in asked(written) if not covers(held, *each)]
