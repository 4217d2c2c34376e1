"""What process-compose.yaml is filled in with."""

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.local import builds, credentials, servers, stores
from services.local.building import CHECKOUT
from services.local.home import Home, as_unprivileged

# What programs need of the user's own environment. All else stays away: a DATABASE_URL of another project
# must not reach a service.
_PASSED_ON = ("PATH", "HOME", "USER", "LANG", "TERM", "TMPDIR", "OTEL_EXPORTER_OTLP_ENDPOINT", "LOG_LEVEL")


@dataclass(frozen=True)
class Prepared:
    """A shop that can start.

    Attributes:
        home: Its folder.
        ports: Where each process listens.
        variables: The environment of process-compose, secrets among it.
    """

    home: Home
    ports: Mapping[str, int]
    variables: Mapping[str, str]


def prepare(home: Home, ports: Mapping[str, int]) -> Prepared:
    """Build what is not built, make what is missing, and return all that the processes need to know.

    Args:
        home: The shop.
        ports: Where each process listens.

    Raises:
        ShopError: A program is missing, or a build failed.
    """
    passwords = credentials.secrets_of(home)
    rabbitmq, epmd = servers.rabbitmq()
    user = builds.user()
    paths = {
        "logs": home.logs,
        "letters": home.letters,
        "checkout": CHECKOUT,
        "python": Path(sys.executable),
        "user_build": user,
        "user_keys": credentials.signing_keys(home, user),
        "product_python": builds.product(),
        "product_source": CHECKOUT / "services" / "product" / "src",
        "order_programs": builds.order(),
        "postgres_programs": stores.postgres(home, passwords),
        "postgres_home": home.root / "postgres",
        "redis_server": servers.redis(),
        "redis_configuration": stores.redis(home, passwords),
        "ferretdb": servers.ferretdb(),
        "mongodb_home": stores.mongodb(home),
        "rabbitmq_server": rabbitmq,
        "rabbitmq_home": stores.rabbitmq(home, passwords, ports["rabbitmq"]),
        "epmd": epmd,
        "gateway_home": home.folder("gateway"),
    }
    variables = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    variables |= {_variable(name): str(value) for name, value in paths.items()}
    variables |= {_variable(f"{name}_port"): str(port) for name, port in ports.items()}
    variables |= {_variable(f"{name}_secret"): value for name, value in passwords.items()}
    variables[_variable("as_unprivileged")] = shlex.join(as_unprivileged())
    variables[_variable("rate_limits")] = os.environ.get("RATE_LIMITS", "on")
    return Prepared(home, ports, variables)


def _variable(name: str) -> str:
    return "SHOP_" + name.replace("-", "_").upper()
