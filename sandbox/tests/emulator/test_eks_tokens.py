"""Tokens as the AWS command line makes them, and as somebody makes them who should not get in."""

import base64
import json
import urllib.error
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import boto3
import pytest
from awscli.customizations.eks.get_token import STSClientFactory, TokenGenerator
from botocore.auth import SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cloudcommerce_sandbox.emulator.principals import principal_of
from moto import mock_aws
from moto.core.utils import utcnow

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import unique

pytestmark = pytest.mark.mission_M21

CLUSTER = "production"
PREFIX = "k8s-aws-v1."
SANDBOX = Credentials("sandbox", "sandbox")


def command_line_token(credentials: Credentials, cluster: str = CLUSTER, endpoint: str | None = None) -> str:
    """What `aws eks get-token` prints."""
    sts = boto3.client(
        "sts",
        region_name="us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id=credentials.access_key,
        aws_secret_access_key=credentials.secret_key,
        aws_session_token=credentials.token,
    )
    STSClientFactory(None)._register_k8s_aws_id_handlers(sts)
    return str(TokenGenerator(sts).get_token(cluster))


def encode(url: str) -> str:
    return PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def decode(token: str) -> str:
    text = token.removeprefix(PREFIX)
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()


def presigned(
    host: str = "https://sts.us-east-1.amazonaws.com/",
    *,
    action: str = "GetCallerIdentity",
    expires: int = 60,
    headers: dict[str, str] | None = None,
    age: timedelta = timedelta(0),
    monkeypatch: pytest.MonkeyPatch | None = None,
) -> str:
    if monkeypatch:
        moment = datetime.now(UTC) - age
        monkeypatch.setattr("botocore.auth.get_current_datetime", lambda *_, **__: moment)
    request = AWSRequest(
        "GET",
        f"{host}?Action={action}&Version=2011-06-15",
        headers={"x-k8s-aws-id": CLUSTER} if headers is None else headers,
    )
    SigV4QueryAuth(SANDBOX, "sts", "us-east-1", expires=expires).add_auth(request)
    return encode(str(request.url))


def verify(emulator: RunningEmulator, token: Any, cluster: str = CLUSTER) -> Any:
    document = {"cluster": cluster, "region": "us-east-1", "token": token}
    return emulator.api("POST", "kubernetes/tokens", document)


def refusal(emulator: RunningEmulator, token: Any, cluster: str = CLUSTER) -> str:
    with pytest.raises(urllib.error.HTTPError) as error:
        verify(emulator, token, cluster)
    assert error.value.code == 400
    return str(json.load(error.value)["error"])


@pytest.mark.parametrize("through_endpoint", [False, True])
def test_the_sandbox_itself(emulator: RunningEmulator, through_endpoint: bool) -> None:
    token = command_line_token(SANDBOX, endpoint=emulator.url if through_endpoint else None)
    identity = verify(emulator, token)
    assert identity["arn"] == "arn:aws:iam::123456789012:user/moto"
    assert (identity["accountId"], identity["sessionName"]) == ("123456789012", "")


def test_a_session_of_a_role_is_the_role(emulator: RunningEmulator) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    name = unique("developer")
    arn = emulator.client("iam").create_role(Path="/team/", RoleName=name, AssumeRolePolicyDocument=document)[
        "Role"
    ]["Arn"]
    issued = emulator.client("sts").assume_role(RoleArn=arn, RoleSessionName="ann")["Credentials"]
    session = Credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    identity = verify(emulator, command_line_token(session))
    assert identity["arn"] == arn
    assert identity["sessionArn"] == f"arn:aws:sts::123456789012:assumed-role/{name}/ann"
    assert identity["sessionName"] == "ann"
    assert identity["userId"].endswith(":ann")
    assert identity["accessKeyId"] == issued["AccessKeyId"]
    without = Credentials(issued["AccessKeyId"], issued["SecretAccessKey"])
    assert "session token" in refusal(emulator, command_line_token(without))
    wrong = Credentials(issued["AccessKeyId"], "guessed", issued["SessionToken"])
    assert "signature" in refusal(emulator, command_line_token(wrong))
    emulator.client("iam").delete_role(RoleName=name)
    assert "a role that is gone" in refusal(emulator, command_line_token(session))


def test_a_session_that_has_expired(monkeypatch: pytest.MonkeyPatch) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "sandbox")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sandbox")
    with mock_aws():
        iam, sts = boto3.client("iam", region_name="us-east-1"), boto3.client("sts", region_name="us-east-1")
        role = iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        session = sts.assume_role(RoleArn=role, RoleSessionName="ann", DurationSeconds=900)
        issued = session["Credentials"]
        assert principal_of(issued["AccessKeyId"]).is_valid
        later = utcnow() + timedelta(seconds=901)
        monkeypatch.setattr("cloudcommerce_sandbox.emulator.principals.utcnow", lambda: later)
        assert not principal_of(issued["AccessKeyId"]).is_valid


def test_a_user_is_the_user(emulator: RunningEmulator) -> None:
    iam, name = emulator.client("iam"), unique("user")
    user = iam.create_user(UserName=name)["User"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    token = command_line_token(Credentials(key["AccessKeyId"], key["SecretAccessKey"]))
    assert verify(emulator, token) == {
        "arn": user["Arn"],
        "sessionArn": user["Arn"],
        "accountId": "123456789012",
        "userId": user["UserId"],
        "sessionName": "",
        "accessKeyId": key["AccessKeyId"],
    }
    iam.update_access_key(UserName=name, AccessKeyId=key["AccessKeyId"], Status="Inactive")
    assert "inactive" in refusal(emulator, token)
    iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    assert "nobody has the access key" in refusal(emulator, token)


def test_a_token_is_for_one_cluster(emulator: RunningEmulator) -> None:
    assert "signature" in refusal(emulator, command_line_token(SANDBOX, "staging"))
    assert "x-k8s-aws-id" in refusal(emulator, presigned(headers={}))


def test_a_token_expires(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_age(**age: float) -> str:
        return presigned(age=timedelta(**age), monkeypatch=monkeypatch)

    assert verify(emulator, of_age(minutes=14))["arn"]
    assert "is good for" in refusal(emulator, of_age(minutes=15, seconds=5))
    assert "ahead of time" in refusal(emulator, of_age(minutes=-10))
    assert "X-Amz-Expires" in refusal(emulator, presigned(expires=3600))


def test_tampered_tokens(emulator: RunningEmulator) -> None:
    url = decode(presigned())
    signature = url.rsplit("X-Amz-Signature=", 1)[1]
    flipped = "0" if signature[0] != "0" else "1"
    assert "signature" in refusal(emulator, encode(url.replace(signature, flipped + signature[1:])))
    assert "signature" in refusal(emulator, encode(url.replace(signature, "")))
    assert "signature" in refusal(emulator, encode(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61")))
    assert "nobody has" in refusal(emulator, encode(url.replace("Credential=sandbox", "Credential=unknown")))
    assert "twice" in refusal(emulator, encode(f"{url}&Action=GetCallerIdentity"))
    assert "unknown parameter" in refusal(emulator, encode(f"{url}&PolicyArns=x"))
    assert "not GetCallerIdentity" in refusal(emulator, presigned(action="AssumeRole"))
    assert "X-Amz-Date" in refusal(emulator, encode(url.replace("X-Amz-Date=2", "X-Amz-Date=x")))
    assert "credential" in refusal(emulator, encode(url.replace("%2Fsts%2F", "%2Fec2%2F")))


@pytest.mark.parametrize(
    "host",
    [
        "https://sts.us-east-1.amazonaws.com.example.com/",
        "https://example.com/",
        "http://sts.us-east-1.amazonaws.com/",
        "https://sts.us-east-1.amazonaws.com:8443/",
        "http://127.0.0.1:1/",
        "https://user@sts.us-east-1.amazonaws.com/",
    ],
)
def test_a_token_is_for_sts(emulator: RunningEmulator, host: str) -> None:
    assert "not STS" in refusal(emulator, presigned(host))


def test_a_token_is_for_no_other_path(emulator: RunningEmulator) -> None:
    parts = urlsplit(decode(presigned()))
    assert "path" in refusal(emulator, encode(urlunsplit(parts._replace(path="/elsewhere"))))


@pytest.mark.parametrize(
    "token",
    [
        "",
        "Bearer x",
        PREFIX,
        f"{PREFIX}not base64!",
        f"{PREFIX}AAAA",
        PREFIX + base64.urlsafe_b64encode(b"\xff\xfe").decode(),
        PREFIX + base64.urlsafe_b64encode(b"https://[::1/").decode(),
        PREFIX + base64.urlsafe_b64encode(b"https://sts.amazonaws.com:port/").decode(),
        PREFIX + base64.urlsafe_b64encode(b"https://sts.amazonaws.com/").decode(),
        PREFIX + base64.urlsafe_b64encode(b"https://sts.amazonaws.com/?" + b"a=1&" * 1000).decode(),
        PREFIX + "A" * 1_000_000,
        7,
        None,
        ["x"],
    ],
)
def test_tokens_that_are_none(emulator: RunningEmulator, token: Any) -> None:
    assert refusal(emulator, token)
