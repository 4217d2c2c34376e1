"""Reads which AWS operation an HTTP request asks for, and answers errors the way that service spells them."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationNotFoundError
from botocore.session import Session
from moto.core.exceptions import ServiceException
from moto.core.model import OperationModel, ServiceModel
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.serialize import get_serializer_class
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

Environ = dict[str, Any]

# Services whose signing name is not the name botocore gives them. DocumentDB and Neptune sign as `rds`, and
# so they are: one control plane,
# https://docs.aws.amazon.com/documentdb/latest/developerguide/API_Reference.html
_SERVICE_OF_SIGNING_NAME = {
    "monitoring": "cloudwatch",
    "tagging": "resourcegroupstaggingapi",
    "elasticloadbalancing": "elbv2",
    "email": "ses",
}
_CREDENTIAL = re.compile(r"Credential=[^/]*/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")


@dataclass(frozen=True)
class Response:
    """A complete HTTP response."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class ApiError(ServiceException):
    """An error that a service answers with.

    Attributes:
        code: AWS error code, such as `InvalidParameterValue`.
        message: the text beside it.
        status: HTTP status; None leaves it to the service's model, which says 400 where it says nothing.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        super().__init__(code, message)
        self.status = status


@cache
def service_model(service: str) -> ServiceModel | None:
    """Returns botocore's model of a service, or None when botocore has no such service."""
    try:
        return get_service_model(service)
    except UnknownServiceError:
        return None


@cache
def _services() -> frozenset[str]:
    return frozenset(Session().get_available_services())


@dataclass(frozen=True)
class AwsCall:
    """One call of an AWS operation.

    Attributes:
        service: botocore's name of the service (`ec2`, `rds` also for DocumentDB, `lambda`).
        operation: the operation's name as in the API (`CreateVpc`); empty when it cannot be told.
        region: region that the request was signed for.
        environ: the WSGI environment, its input an in-memory stream at position 0.
        path_parameters: values bound in the path of a REST call.
    """

    service: str
    operation: str
    region: str
    environ: Environ = field(repr=False)
    path_parameters: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def parameters(self) -> dict[str, Any]:
        """Returns the call's parameters in the shape boto3 takes them.

        Raises:
            ApiError: the body cannot be read as this operation's input.
        """
        model = service_model(self.service)
        if model is None or self.operation not in model.operation_names:
            return {}
        request = Request({**self.environ, "wsgi.input": io.BytesIO(_body(self.environ))})
        parser = PROTOCOL_PARSERS[self._protocol(model)](model.operation_model(self.operation), map_type=dict)
        try:
            parsed: dict[str, Any] = parser.parse(
                {
                    "method": request.method,
                    "values": request.values,
                    "headers": request.headers,
                    "body": request.data,
                    "url_path": request.path,
                    "url_params": dict(self.path_parameters),
                }
            )
        except (ValueError, TypeError) as error:
            raise ApiError("SerializationException", f"{self.operation}: {error}") from error
        return {**self.path_parameters, **parsed}

    def refuse(self, error: ApiError) -> Response:
        """Returns `error` in this service's wire protocol, with the HTTP status its model gives the code."""
        model = service_model(self.service)
        if model is None:
            return Response(error.status or 400, {"Content-Type": "text/plain"}, str(error).encode())
        try:
            operation = model.operation_model(self.operation)
        except OperationNotFoundError:
            operation = OperationModel({}, model)
        serializer = get_serializer_class(model.service_name, self._protocol(model))(
            operation_model=operation
        )
        answer = serializer.serialize(error)
        body = answer["body"]
        headers = {name: str(value) for name, value in answer["headers"].items()}
        return Response(
            error.status or int(answer["status_code"]),
            headers,
            body if isinstance(body, bytes) else str(body).encode(),
        )

    def _protocol(self, model: ServiceModel) -> str:
        try:
            return determine_request_protocol(model, self.environ.get("CONTENT_TYPE", ""))
        except NotImplementedError:
            return str(model.protocol)


def identify(environ: Environ) -> AwsCall | None:
    """Returns the AWS call that a request makes, or None when it is not a signed AWS call.

    The service and region come from the Signature Version 4 credential scope, the operation from where the
    service's protocol carries it: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
    """
    scope = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        return None
    service = _SERVICE_OF_SIGNING_NAME.get(scope["service"], scope["service"])
    if service not in _services():
        return AwsCall(service, "", scope["region"], environ)
    target = environ.get("HTTP_X_AMZ_TARGET")
    if target:
        return AwsCall(service, target.rsplit(".", 1)[-1], scope["region"], environ)
    action = _action(environ)
    if action:
        return AwsCall(service, action, scope["region"], environ)
    try:
        operation, path_parameters = get_service_router(service).match(Request(environ))
    except (NotFound, NotImplementedError):
        return AwsCall(service, "", scope["region"], environ)
    return AwsCall(service, operation.name, scope["region"], environ, path_parameters)


def _action(environ: Environ) -> str:
    query = environ.get("QUERY_STRING", "")
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        query = _body(environ).decode("utf-8", "replace")
    if "Action=" not in query:
        return ""
    return str(parse_qs(query).get("Action", [""])[0])


def _body(environ: Environ) -> bytes:
    return bytes(environ["wsgi.input"].getvalue())
