"""The public routes of the services, as each keeps them in its `routes.yaml`."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

SERVICES = Path(__file__).resolve().parents[1]
_PARAMETER = re.compile(r"\{[a-z_]+\}")


class RoutesError(Exception):
    """A `routes.yaml` that no gateway can be made of."""


class _Document(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel)


class RateLimit(_Document):
    """Requests that one client may send."""

    per_minute: int = Field(gt=0)


class Route(_Document):
    """One public path with its methods, as the service's description has it.

    Attributes:
        name: Unique over all services.
        methods: Methods that pass.
        path: Path with parameters in braces, each of which stands for one segment.
        auth: `jwt` when a request without a token is refused at the gateway.
        rate_limit: Requests a client.
        cache_seconds: How long a gateway may keep answers to anonymous readers; 0: not at all.
        streaming: The answer never ends and must not be buffered.
        max_body_bytes: The largest body; 0: none at all.
    """

    name: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$")
    methods: tuple[Literal["GET", "POST", "PUT", "PATCH", "DELETE"], ...] = Field(min_length=1, strict=False)
    path: str = Field(pattern=r"^(/([A-Za-z0-9._-]+|\{[a-z_]+\}))+$")
    auth: Literal["none", "jwt"]
    rate_limit: RateLimit
    cache_seconds: int = Field(default=0, ge=0)
    streaming: bool = False
    max_body_bytes: int = Field(ge=0)

    @property
    def pattern(self) -> str:
        """A regular expression (RE2 and PCRE) that the whole path matches."""
        parts = _PARAMETER.split(self.path)
        return "^" + "[^/]+".join(re.escape(part).replace(r"\-", "-") for part in parts) + "$"


class ServiceRoutes(_Document):
    """Everything of one service that is public.

    Attributes:
        service: The service's name, which is its host in a network of containers.
        port: Where it listens.
        routes: Its public paths; all others are closed.
    """

    service: str = Field(pattern=r"^[a-z]+$")
    port: Annotated[int, Field(gt=0, lt=65536)]
    routes: tuple[Route, ...] = Field(min_length=1, strict=False)


def load(folder: Path = SERVICES) -> list[ServiceRoutes]:
    """Read the routes of all services.

    Args:
        folder: The folder that has a folder for each service.

    Returns:
        The services in the order of their names.

    Raises:
        RoutesError: A file is missing or wrong, or two routes would answer the same request.
    """
    files = sorted(folder.glob("*/routes.yaml"))
    if not files:
        raise RoutesError(f"{folder} has no */routes.yaml")
    found = [_read(file) for file in files]
    _refuse_collisions(found)
    return found


def _read(file: Path) -> ServiceRoutes:
    try:
        return ServiceRoutes.model_validate(yaml.safe_load(file.read_text()))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RoutesError(f"{file}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return str(error)
    return "; ".join(
        f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}" for found in error.errors()
    )


def _refuse_collisions(services: Sequence[ServiceRoutes]) -> None:
    names: set[str] = set()
    answers: dict[tuple[str, str], str] = {}
    for route in (route for service in services for route in service.routes):
        if route.name in names:
            raise RoutesError(f"two routes are named {route.name}")
        names.add(route.name)
        for method in route.methods:
            other = answers.setdefault((method, route.pattern), route.name)
            if other != route.name:
                raise RoutesError(f"{other} and {route.name} both answer {method} {route.path}")
