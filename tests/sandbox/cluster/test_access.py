"""Who gets into production's cluster and what they may do there, through the stack's own kubeconfigs."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import kubernetes.client as k8s
import pytest
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config_dict

from tests.sandbox.cluster.tokens import role_credentials, signed, status, tampered
from tests.sandbox.workbench import Workbench

pytestmark = [pytest.mark.xdist_group("product"), pytest.mark.mission_M21, pytest.mark.mission_M35]

ROLES = ("platform", "developer", "auditor", "ci")
APPLICATION = "order"
WITHIN_SECONDS = 10

Clients = Mapping[str, k8s.ApiClient]


@dataclass(frozen=True)
class Row:
    """One line of the matrix: an action, and whom the cluster lets do it."""

    verb: str
    resource: str
    namespace: str
    allowed: frozenset[str]

    def attributes(self) -> dict[str, Any]:
        """The action in the words of an access review."""
        if self.resource.startswith("/"):
            return {"nonResourceAttributes": {"verb": self.verb, "path": self.resource}}
        whole, _, subresource = self.resource.partition("/")
        resource, _, group = whole.partition(".")
        where = {"*": "", ".": ""}.get(self.namespace, self.namespace)
        return {
            "resourceAttributes": {
                "verb": self.verb,
                "group": group,
                "resource": resource,
                "subresource": subresource,
                "namespace": where,
            }
        }


def matrix() -> list[Row]:
    text = Path(__file__).with_name("access_matrix.txt").read_text()
    head, *lines = [line.split() for line in text.splitlines() if line and not line.startswith("#")]
    assert tuple(head[3:]) == ROLES
    return [
        Row(verb, resource, namespace, frozenset(r for r, c in zip(ROLES, cells, strict=True) if c == "y"))
        for verb, resource, namespace, *cells in lines
    ]


@pytest.fixture(scope="module")
def clients(product: Workbench, product_outputs: dict[str, Any]) -> Iterator[Clients]:
    """The official client through the kubeconfig of each role, in the environment of `make shell`."""
    configs = product_outputs["kubeconfigs"]
    assert set(configs) == set(ROLES)
    with pytest.MonkeyPatch.context() as patch:
        # A kubeconfig names the command `aws` and no endpoint.
        for name, value in product.session.engine.environment.items():
            patch.setenv(name, value)
        yield {role: new_client_from_config_dict(config) for role, config in configs.items()}


@pytest.fixture
def newcomer(product: Workbench) -> Iterator[str]:
    """A role of the account that the stack knows nothing of."""
    iam, name = product.client("iam"), "newcomer"
    yield iam.create_role(RoleName=name, AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')[
        "Role"
    ]["Arn"]
    iam.delete_role(RoleName=name)


@dataclass(frozen=True)
class Door:
    """The API server as somebody without a kubeconfig finds it."""

    bench: Workbench
    name: str
    server: str
    authority: str

    def answer(self, token: str | None) -> int:
        return status(self.server, self.authority, token)

    def person(self, role_arn: str) -> Any:
        return role_credentials(self.bench.client("sts"), role_arn, "ann")


@pytest.fixture(scope="module")
def door(product: Workbench, product_outputs: dict[str, Any], clients: Clients) -> Door:
    configuration = clients["platform"].configuration
    return Door(product, product_outputs["clusterName"], configuration.host, str(configuration.ssl_ca_cert))


@pytest.fixture(scope="module")
def auditor_arn(product_outputs: dict[str, Any]) -> str:
    arguments = product_outputs["kubeconfigs"]["auditor"]["users"][0]["user"]["exec"]["args"]
    return str(arguments[arguments.index("--role-arn") + 1])


@pytest.mark.parametrize("role", ROLES)
def test_role_is_its_group_and_no_other(clients: Clients, role: str) -> None:
    me = k8s.AuthenticationV1Api(clients[role]).create_self_subject_review(
        {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    )

    user = me.status.user_info
    ours = [group for group in user.groups if group.startswith("cloudcommerce:")]
    assert ours == [f"cloudcommerce:{role}"]
    assert "system:masters" not in user.groups
    assert f":assumed-role/access-{role}" in user.username


@pytest.mark.parametrize("role", ROLES)
def test_role_may_do_what_the_matrix_says(clients: Clients, role: str) -> None:
    reviews = k8s.AuthorizationV1Api(clients[role])

    wrong = []
    for row in matrix():
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        answer = reviews.create_self_subject_access_review({**review, "spec": row.attributes()}).status
        if answer.allowed != (role in row.allowed) or answer.evaluation_error:
            wrong.append((row.verb, row.resource, row.namespace, answer.allowed, answer.evaluation_error))

    assert wrong == []


def test_matrix_speaks_of_each_role_both_ways() -> None:
    rows = matrix()
    assert len({(row.verb, row.resource, row.namespace) for row in rows}) == len(rows) > 80
    for role in ROLES[1:]:
        assert {role in row.allowed for row in rows} == {True, False}


def _privileged_pod(client: k8s.ApiClient) -> Any:
    container = {"name": "c", "image": "busybox", "securityContext": {"privileged": True}}
    pod = {"metadata": {"name": "privileged"}, "spec": {"containers": [container]}}
    return k8s.CoreV1Api(client).create_namespaced_pod(APPLICATION, pod, dry_run="All")


def _deployment(client: k8s.ApiClient) -> Any:
    context = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    labels = {"app": "probe"}
    deployment = {
        "metadata": {"name": "probe"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "busybox", "securityContext": context}]},
            },
        },
    }
    return k8s.AppsV1Api(client).create_namespaced_deployment(APPLICATION, deployment, dry_run="All")


def _make_oneself_administrator(client: k8s.ApiClient) -> Any:
    group = "rbac.authorization.k8s.io"
    binding = {
        "metadata": {"name": "promotion"},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": "cloudcommerce:ci"}],
    }
    return k8s.RbacAuthorizationV1Api(client).create_cluster_role_binding(binding, dry_run="All")


def _list_pods(client: k8s.ApiClient) -> Any:
    return k8s.CoreV1Api(client).list_namespaced_pod(APPLICATION)


def _list_secrets(client: k8s.ApiClient) -> Any:
    return k8s.CoreV1Api(client).list_namespaced_secret(APPLICATION)


def _list_nodes(client: k8s.ApiClient) -> Any:
    return k8s.CoreV1Api(client).list_node()


def _delete_quota(client: k8s.ApiClient) -> Any:
    return k8s.CoreV1Api(client).delete_namespaced_resource_quota("quota", APPLICATION, dry_run="All")


@pytest.mark.parametrize(
    ("role", "allowed", "forbidden", "words"),
    [
        ("platform", _list_secrets, _privileged_pod, "violates PodSecurity"),
        ("developer", _list_pods, _list_nodes, 'cannot list resource "nodes"'),
        ("auditor", _list_nodes, _list_secrets, 'cannot list resource "secrets"'),
        ("auditor", _list_pods, _delete_quota, 'cannot delete resource "resourcequotas"'),
        ("ci", _deployment, _list_secrets, 'cannot list resource "secrets"'),
        ("ci", _delete_quota, _make_oneself_administrator, "attempting to grant RBAC permissions"),
    ],
)
def test_real_requests_of_each_role(
    clients: Clients, role: str, allowed: Callable[..., Any], forbidden: Callable[..., Any], words: str
) -> None:
    assert allowed(clients[role])
    with pytest.raises(ApiException, match="Forbidden") as refusal:
        forbidden(clients[role])
    assert refusal.value.status == 403
    assert words in json.loads(refusal.value.body)["message"]


def test_nobody_gets_in_without_an_entry(door: Door, newcomer: str) -> None:
    assert door.answer(None) == 401
    assert door.answer(signed(door.person(newcomer), door.name)) == 401


def test_entry_counts_within_seconds_and_so_does_its_end(door: Door, newcomer: str) -> None:
    eks, token = door.bench.client("eks"), signed(door.person(newcomer), door.name)
    eks.create_access_entry(
        clusterName=door.name, principalArn=newcomer, kubernetesGroups=["cloudcommerce:auditor"]
    )
    _becomes(lambda: door.answer(token), 200)

    eks.delete_access_entry(clusterName=door.name, principalArn=newcomer)
    _becomes(lambda: door.answer(token), 401)


def test_forged_expired_and_foreign_tokens_are_refused(door: Door, auditor_arn: str) -> None:
    person = door.person(auditor_arn)
    good = signed(person, door.name)
    assert door.answer(good) == 200

    assert door.answer(signed(person, "another")) == 401
    assert door.answer(signed(person, door.name, age=timedelta(minutes=14))) == 200
    assert door.answer(signed(person, door.name, age=timedelta(minutes=16))) == 401
    assert door.answer(signed(person, door.name, age=timedelta(minutes=-30))) == 401, "from the future"
    assert door.answer(tampered(good, "X-Amz-Expires=60", "X-Amz-Expires=61")) == 401
    assert door.answer(tampered(good, "sts.us-east-1.amazonaws.com", "sts.us-east-1.example.com")) == 401
    assert door.answer(good[:-8]) == 401
    for nonsense in ("k8s-aws-v1.", "k8s-aws-v1.%%%", "nonsense", "k8s-aws-v2." + good):
        assert door.answer(nonsense) == 401, nonsense


def _becomes(look: Callable[[], int], wanted: int) -> None:
    deadline = time.monotonic() + WITHIN_SECONDS
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, f"{seen} and not {wanted} after {WITHIN_SECONDS} s"
        time.sleep(0.1)
