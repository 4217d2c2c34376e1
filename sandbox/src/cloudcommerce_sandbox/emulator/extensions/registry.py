"""The extensions and how they get into moto.

An extension is a package laid out as moto lays out a service: `models.py` with a subclass of moto's backend,
`responses.py` with a subclass of its responses, `urls.py`. Its backend takes the place of moto's in the
service's `BackendDict`, which finds `urls.py` beside it by itself.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from types import FunctionType
from typing import Any

from botocore import xform_name
from moto.core.base_backend import BackendDict
from moto.core.responses import BaseResponse

from cloudcommerce_sandbox.emulator.wire import service_model


@dataclass(frozen=True)
class Runtime:
    """What the extensions know of the running emulator.

    Attributes:
        endpoint_url: its address.
        lock: guards moto's state.
        is_followed: whether somebody runs control planes and nodes for its Kubernetes clusters.
    """

    endpoint_url: str
    lock: threading.RLock
    is_followed: bool = False


@dataclass(frozen=True)
class Extension:
    """What we load over one of moto's services.

    Attributes:
        service: botocore's service name.
        backends: moto's backends of the service.
        backend: our subclass of moto's backend class.
        response: our subclass of moto's response class.
        records: our subclasses of what moto's backend keeps, by moto's own names of them.
        prepare: further changes, made once before the first request.
    """

    service: str
    backends: BackendDict[Any]
    backend: type[Any]
    response: type[BaseResponse]
    records: tuple[type[Any], ...] = ()
    prepare: Callable[[Runtime], None] | None = None

    def install(self, runtime: Runtime) -> None:
        """Puts our backend and our records in the place of moto's."""
        moto_models = import_module(self.backends.backend.__module__)
        self.backends.backend = self.backend
        for record in self.records:
            setattr(moto_models, record.__name__, record)
        if self.prepare:
            self.prepare(runtime)

    def added(self) -> list[str]:
        """Names of the operations that moto does not have."""
        return [name for name, is_moto in self._operations().items() if not is_moto]

    def corrected(self) -> list[str]:
        """Names of the operations of moto's that behave otherwise here."""
        backend_methods = {
            name for name, value in vars(self.backend).items() if isinstance(value, FunctionType)
        }
        operations = self._operations()
        ours = {name for name, is_moto in operations.items() if is_moto and _own(self.response, name)}
        below = {
            name for name, is_moto in operations.items() if is_moto and xform_name(name) in backend_methods
        }
        return sorted(ours | below)

    def _operations(self) -> dict[str, bool]:
        model = service_model(self.service)
        moto_response = next(c for c in self.response.__mro__ if c.__module__.startswith("moto."))
        return {
            name: hasattr(moto_response, xform_name(name))
            for name in (model.operation_names if model else [])
            if hasattr(self.response, xform_name(name))
            and (_own(self.response, name) or hasattr(moto_response, xform_name(name)))
        }


def _own(response: type[BaseResponse], operation: str) -> bool:
    function = getattr(response, xform_name(operation), None)
    return function is not None and not function.__module__.startswith("moto.")
