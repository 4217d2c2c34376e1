"""Tells whose the tokens are that `aws eks get-token` makes: presigned calls of GetCallerIdentity.

EKS checks them the way of https://github.com/kubernetes-sigs/aws-iam-authenticator: their form first, so
that nothing but this one call can be behind them, then by the call itself. The emulator verifies the
signature, as STS does: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
"""

from __future__ import annotations

import base64
import hmac
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, parse_qsl, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from cloudcommerce_sandbox.emulator.principals import Principal, principal_of

PREFIX = "k8s-aws-v1."
CLUSTER_HEADER = "x-k8s-aws-id"
LIFETIME = timedelta(minutes=15)
_MOST_CHARACTERS = 16_384
_CLOCK_SKEW = timedelta(minutes=5)
_STS_HOST = re.compile(r"sts(-fips)?(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?")
_PARAMETERS = frozenset(
    {
        "action",
        "version",
        "x-amz-algorithm",
        "x-amz-credential",
        "x-amz-date",
        "x-amz-expires",
        "x-amz-security-token",
        "x-amz-signature",
        "x-amz-signedheaders",
    }
)


class TokenVerifier:
    """Verifies tokens; hold the lock of moto's state.

    Args:
        own_url: address of the emulator, which stands in for STS where AWS_ENDPOINT_URL is set.
    """

    def __init__(self, own_url: str) -> None:
        self._own_port = urlsplit(own_url).port

    def verify(self, token: str, cluster: str) -> dict[str, str]:
        """Returns who made a token for a cluster.

        Args:
            token: `k8s-aws-v1.` and an encoded URL.
            cluster: name of the cluster that it is presented to.

        Returns:
            `arn` of the role or user, `sessionArn`, `accountId`, `userId`, `sessionName` and `accessKeyId`.

        Raises:
            ValueError: it is malformed, expired, for another cluster, its signature is wrong, or its key is
                good for nothing any more.
        """
        url = self._url(token)
        parameters = _parameters(url)
        if parameters.get("action") != "GetCallerIdentity":
            raise ValueError(f"the token calls {parameters.get('action')!r}, not GetCallerIdentity")
        _require_fresh(parameters)
        if CLUSTER_HEADER not in parameters.get("x-amz-signedheaders", "").split(";"):
            raise ValueError(f"the token does not sign the {CLUSTER_HEADER} header")
        principal = _signer(url, parameters, cluster)
        return {
            "arn": principal.arn,
            "sessionArn": principal.session_arn,
            "accountId": principal.arn.split(":")[4],
            "userId": principal.user_id,
            "sessionName": principal.session_name,
            "accessKeyId": _key_id(parameters),
        }

    def _url(self, token: str) -> SplitResult:
        if len(token) > _MOST_CHARACTERS:
            raise ValueError(f"the token has {len(token)} characters, more than {_MOST_CHARACTERS}")
        if not token.startswith(PREFIX):
            raise ValueError(f"the token does not begin with {PREFIX}")
        encoded = token.removeprefix(PREFIX)
        try:
            padded = encoded + "=" * (-len(encoded) % 4)
            url = urlsplit(base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii"))
            host, port = url.hostname or "", url.port
        except ValueError as error:  # covers base64, ASCII and ports that are no numbers
            raise ValueError(f"the token is not an encoded URL: {error}") from error
        is_sts = url.scheme == "https" and port is None and _STS_HOST.fullmatch(host)
        is_ours = host in {"127.0.0.1", "localhost", "::1"} and port == self._own_port
        if not (is_sts or is_ours) or url.username is not None:
            raise ValueError(f"the token is for {url.scheme}://{url.netloc}, which is not STS")
        if url.path not in {"", "/"} or url.fragment:
            raise ValueError(f"the token is for the path {url.path!r}, not /")
        return url


def _parameters(url: SplitResult) -> dict[str, str]:
    parameters: dict[str, str] = {}
    for name, value in parse_qsl(url.query, keep_blank_values=True, max_num_fields=len(_PARAMETERS)):
        known = name.lower()
        if known not in _PARAMETERS:
            raise ValueError(f"the token has the unknown parameter {name!r}")
        if known in parameters:
            raise ValueError(f"the token has the parameter {name!r} twice")
        parameters[known] = value
    return parameters


def _require_fresh(parameters: dict[str, str]) -> None:
    lifetime = parameters.get("x-amz-expires", "")
    if not (lifetime.isascii() and lifetime.isdigit()) or int(lifetime) > LIFETIME.total_seconds():
        raise ValueError(
            f"X-Amz-Expires is {lifetime!r}; it must be 0 to {LIFETIME.total_seconds():g} seconds"
        )
    try:
        signed = datetime.strptime(f"{parameters.get('x-amz-date')}+0000", "%Y%m%dT%H%M%SZ%z")
    except ValueError as error:
        raise ValueError(f"X-Amz-Date is {parameters.get('x-amz-date')!r}") from error
    age = datetime.now(UTC) - signed.replace(tzinfo=UTC)
    if age > LIFETIME:
        raise ValueError(f"the token was signed {age} ago; it is good for {LIFETIME}")
    if age < -_CLOCK_SKEW:
        raise ValueError(f"the token is signed {-age} ahead of time; are the clocks the same?")


def _key_id(parameters: dict[str, str]) -> str:
    return parameters.get("x-amz-credential", "").partition("/")[0]


def _signer(url: SplitResult, parameters: dict[str, str], cluster: str) -> Principal:
    key, scope = _key_id(parameters), parameters.get("x-amz-credential", "").partition("/")[2]
    date, _, rest = scope.partition("/")
    region, _, kind = rest.partition("/")
    if parameters.get("x-amz-algorithm") != "AWS4-HMAC-SHA256" or kind != "sts/aws4_request":
        raise ValueError(f"the token's credential is {parameters.get('x-amz-credential')!r}, not one for STS")
    if date != parameters["x-amz-date"][:8]:
        raise ValueError(f"the token's credential is of {date}, and its date {parameters['x-amz-date']}")
    principal = principal_of(key)
    if principal.secret is None:
        raise ValueError(
            f"nobody has the access key {key!r}; use the sandbox's, or one that its IAM gave out"
        )
    if (principal.session_token or "") != parameters.get("x-amz-security-token", ""):
        raise ValueError("the token's session token is not that of its access key")
    expected = _signature(url, parameters, cluster, Credentials(key, principal.secret), region)
    if not hmac.compare_digest(expected.encode(), parameters.get("x-amz-signature", "").encode()):
        raise ValueError(f"the token's signature is wrong, or it was made for another cluster than {cluster}")
    if not principal.is_valid:
        raise ValueError(f"the access key {key!r} is inactive, expired, or that of a role that is gone")
    return principal


def _signature(
    url: SplitResult, parameters: dict[str, str], cluster: str, credentials: Credentials, region: str
) -> str:
    unsigned = "&".join(
        part for part in url.query.split("&") if not part.lower().startswith("x-amz-signature=")
    )
    request = AWSRequest(
        "GET", url._replace(query=unsigned, path="/").geturl(), headers={CLUSTER_HEADER: cluster}
    )
    request.context["timestamp"] = parameters["x-amz-date"]
    signer = SigV4Auth(credentials, "sts", region)
    text: str = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    return text
