"""Whom a token names in a cluster, and the webhook that says so."""

import json
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.kubernetes.authentication import Identity, RefusedError, Verifier, review, user_of
from cloudcommerce_sandbox.kubernetes.authentication_server import AuthenticationServer
from cloudcommerce_sandbox.kubernetes.certificates import Authority
from cloudcommerce_sandbox.kubernetes.model import AccessEntry, AccessPolicy, ClusterSpec

pytestmark = pytest.mark.mission_M35

ROLE = "arn:aws:iam::123456789012:role/platform"
SESSION = "arn:aws:sts::123456789012:assumed-role/platform/ann@example.com"


def identity(**changes: Any) -> Any:
    made = Identity(
        arn=ROLE,
        session_arn=SESSION,
        account_id="123456789012",
        user_id="AROAEXAMPLE",
        session_name="ann@example.com",
        access_key_id="ASIAEXAMPLE",
    )
    return replace(made, **changes)


def entry(**changes: Any) -> Any:
    made = AccessEntry(
        principal_arn=ROLE,
        username="arn:aws:sts::123456789012:assumed-role/platform/{{SessionName}}",
        groups=("cloudcommerce:platform",),
        type="STANDARD",
        policies=(),
    )
    return replace(made, **changes)


def cluster(*entries: Any, **changes: Any) -> Any:
    made = ClusterSpec(
        name="shop", region="us-east-1", version="1.35", status="ACTIVE", access_entries=entries
    )
    return replace(made, **changes)


def test_an_entry_names_user_and_groups() -> None:
    user = user_of(identity(), cluster(entry()))

    assert user.username == "arn:aws:sts::123456789012:assumed-role/platform/ann-example.com"
    assert user.groups == ("cloudcommerce:platform",)
    assert user.uid == "aws-iam-authenticator:123456789012:AROAEXAMPLE"
    assert user.extra["sessionName"] == ("ann@example.com",)


@pytest.mark.parametrize(
    ("template", "username"),
    [
        ("{{AccountID}}:{{SessionNameRaw}}", "123456789012:ann@example.com"),
        ("{{SessionName}}", "ann-example.com"),
        ("{{AccessKeyID}}", "ASIAEXAMPLE"),
        ("plain", "plain"),
        ("", "arn:aws:sts::123456789012:assumed-role/platform/ann-example.com"),
    ],
)
def test_username_templates(template: str, username: str) -> None:
    assert user_of(identity(), cluster(entry(username=template))).username == username


def test_a_user_without_session_is_its_arn() -> None:
    arn = "arn:aws:iam::123456789012:user/bob"
    who = identity(arn=arn, session_arn=arn, session_name="")

    assert user_of(who, cluster(entry(principal_arn=arn, username=""))).username == arn


def test_a_session_name_cannot_reach_into_the_template() -> None:
    who = identity(session_name="{{AccountID}}")

    assert user_of(who, cluster(entry(username="u:{{SessionName}}"))).username == "u:--AccountID--"


def test_policies_are_groups_by_where_they_hold() -> None:
    policies = (
        AccessPolicy(name="AmazonEKSClusterAdminPolicy", namespaces=()),
        AccessPolicy(name="AmazonEKSViewPolicy", namespaces=("a", "b")),
    )

    assert user_of(identity(), cluster(entry(groups=(), policies=policies))).groups == (
        "eks:access-policy:AmazonEKSClusterAdminPolicy",
        "eks:access-policy:AmazonEKSViewPolicy:a",
        "eks:access-policy:AmazonEKSViewPolicy:b",
    )


def test_a_node_role_is_a_node() -> None:
    template = "system:node:{{EC2PrivateDNSName}}"
    user = user_of(identity(), cluster(entry(type="EC2_LINUX", groups=("system:nodes",), username=template)))

    assert user.groups == ("system:nodes", "system:bootstrappers")
    assert user.username.startswith("system:node:")


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::123456789012:role/platform2",
        "arn:aws:iam::123456789012:role/team/platform",
        "arn:aws:iam::999999999999:role/platform",
        "arn:aws:iam::123456789012:role/Platform",
        "",
    ],
)
def test_who_has_no_entry_of_exactly_that_arn_is_nobody(arn: str) -> None:
    with pytest.raises(RefusedError, match="no access entry"):
        user_of(identity(arn=arn), cluster(entry()))


def test_the_creator_is_administrator_only_if_the_cluster_says_so() -> None:
    admin = user_of(identity(), cluster(creator_arn=ROLE, creator_is_admin=True))
    assert admin.groups == ("eks:access-policy:AmazonEKSClusterAdminPolicy",)

    with pytest.raises(RefusedError):
        user_of(identity(), cluster(creator_arn=ROLE, creator_is_admin=False))


class Emulator:
    """The one endpoint of the emulator that the verifier asks."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.answer: tuple[int, Any] = (
            200,
            {"arn": ROLE, "sessionArn": SESSION, "accountId": "1", "userId": "A", "sessionName": "s"},
        )
        emulator = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                emulator.asked.append((self.path, body))
                status, content = emulator.answer
                text = content if isinstance(content, bytes) else json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    made = Emulator()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_the_emulator_is_asked_once_in_a_while(emulator: Any) -> None:
    now = [100.0]
    verifier = Verifier(emulator.url, clock=lambda: now[0])
    for _ in range(3):
        assert verifier.identity("shop", "us-east-1", "k8s-aws-v1.x").arn == ROLE
    assert emulator.asked == [
        (
            "/sandbox-api/kubernetes/tokens",
            {"cluster": "shop", "region": "us-east-1", "token": "k8s-aws-v1.x"},
        )
    ]
    verifier.identity("other", "us-east-1", "k8s-aws-v1.x")
    now[0] += 60
    verifier.identity("shop", "us-east-1", "k8s-aws-v1.x")
    assert len(emulator.asked) == 3


def test_a_refused_token_is_not_remembered(emulator: Any) -> None:
    verifier = Verifier(emulator.url)
    good, emulator.answer = emulator.answer, (400, {"error": "the token is expired"})
    with pytest.raises(RefusedError, match="expired"):
        verifier.identity("shop", "us-east-1", "t")
    emulator.answer = good
    assert verifier.identity("shop", "us-east-1", "t").arn == ROLE


@pytest.mark.parametrize("answer", [(500, b"<html>"), (200, b"not json"), (400, b"[]")])
def test_a_broken_emulator_lets_nobody_in(emulator: Any, answer: Any) -> None:
    emulator.answer = answer
    with pytest.raises(RefusedError):
        Verifier(emulator.url).identity("shop", "us-east-1", "t")


def test_an_absent_emulator_lets_nobody_in() -> None:
    with pytest.raises(RefusedError, match="could not be asked"):
        Verifier("http://127.0.0.1:1").identity("shop", "us-east-1", "t")


@pytest.mark.parametrize(
    "body", [None, [], {}, {"spec": None}, {"spec": {"token": ""}}, {"spec": {"token": 1}}]
)
def test_a_review_without_a_token_is_refused(body: dict[str, Any], emulator: Any) -> None:
    answer = review(body, cluster(entry()), Verifier(emulator.url))
    assert answer["status"]["authenticated"] is False
    assert not emulator.asked


@pytest.fixture
def webhook(tmp_path: Path, emulator: Any) -> Iterator[Any]:
    """A running webhook, whom it knows, and a client that may ask."""
    authority = Authority(tmp_path, "webhook")
    pair = authority.server("webhook-server", ["127.0.0.1"])
    client = authority.client("api-server", "kube-apiserver")
    clusters = {"us-east-1/shop": cluster(entry())}
    server = AuthenticationServer(
        find=clusters.get,
        verifier=Verifier(emulator.url),
        certificate=pair.certificate,
        key=pair.key,
        client_authority=authority.files.certificate,
    )
    server.start()
    context = ssl.create_default_context(cafile=str(authority.files.certificate))
    context.load_cert_chain(client.certificate, client.key)
    stranger = ssl.create_default_context(cafile=str(authority.files.certificate))

    def ask(
        path: str = "us-east-1/shop",
        body: bytes = b'{"spec": {"token": "t"}}',
        context: Any = context,
    ) -> Any:
        request = urllib.request.Request(f"https://127.0.0.1:{server.port}/{path}", body, method="POST")
        with urllib.request.urlopen(request, context=context, timeout=10) as response:
            return json.load(response)

    yield ask, clusters, stranger
    server.stop()


def test_the_webhook_answers_reviews_and_follows_access_entries(webhook: Any) -> None:
    ask, clusters, _ = webhook
    assert ask()["status"]["user"]["groups"] == ["cloudcommerce:platform"]

    clusters["us-east-1/shop"] = cluster(entry(groups=("cloudcommerce:auditor",)))
    assert ask()["status"]["user"]["groups"] == ["cloudcommerce:auditor"]

    clusters["us-east-1/shop"] = cluster()
    assert ask()["status"]["authenticated"] is False


@pytest.mark.parametrize(("path", "body", "status"), [("nowhere", b"{}", 404), ("us-east-1/shop", b"{", 400)])
def test_the_webhook_refuses_what_it_cannot_read(webhook: Any, path: str, body: bytes, status: int) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        webhook[0](path, body)
    assert caught.value.code == status


def test_the_webhook_talks_to_api_servers_only(webhook: Any) -> None:
    ask, _, stranger = webhook
    with pytest.raises((urllib.error.URLError, ssl.SSLError, ConnectionError)):
        ask(context=stranger)
    assert ask()["status"]["authenticated"] is True
