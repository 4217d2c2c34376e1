"""botocore's service models: shapes of operations, without clients or credentials."""

from __future__ import annotations

import functools
import threading
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

_LOCK = threading.RLock()


@functools.cache
def session() -> Any:
    """Return the process's one botocore session; its loader caches what it read."""
    return botocore.session.Session()


@functools.cache
def loader() -> Loader:
    """Return the session's loader of data files."""
    found: Loader = session().get_component("data_loader")
    return found


@functools.cache
def service_model(service: str) -> Any:
    """Return the model of a service.

    Raises:
        LookupError: botocore has no such service.
    """
    with _LOCK:
        try:
            return ServiceModel(loader().load_service_model(service, "service-2"), service_name=service)
        except botocore.exceptions.UnknownServiceError as error:
            message = f"botocore has no service {service!r}"
            raise LookupError(message) from error


@functools.cache
def _operations(service: str) -> dict[str, str]:
    return {xform_name(name): name for name in service_model(service).operation_names}


@functools.cache
def operation(service: str, method: str) -> Any:
    """Return the model of an operation by its client method, for example `create_vpc`.

    Raises:
        LookupError: The service has no such operation.
    """
    names = _operations(service)
    if method not in names:
        message = f"{service} has no operation {method!r}"
        raise LookupError(message)
    with _LOCK:
        return service_model(service).operation_model(names[method])


def input_shape(service: str, method: str) -> Any:
    """Return the input structure of an operation; an empty structure's stand-in is None."""
    return operation(service, method).input_shape


def output_shape(service: str, method: str) -> Any:
    """Return the output structure of an operation; None when it returns nothing."""
    return operation(service, method).output_shape
