"""`python -m services.gateway caddy|kong`: prints a gateway's configuration."""

import json

import click
import yaml

from services.gateway import caddy, kong
from services.gateway.routes import RoutesError, ServiceRoutes, load


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Print the configuration of a gateway in front of the services."""


@main.command(name="caddy")
@click.option("--listen", default="127.0.0.1:8088", show_default=True, help="Address of the gateway.")
@click.option("--upstream", multiple=True, metavar="SERVICE=HOST:PORT", help="By default on this machine.")
def print_caddy(listen: str, upstream: tuple[str, ...]) -> None:
    """Of Caddy, for a development machine, in JSON."""
    services = _loaded()
    upstreams = {service.service: f"127.0.0.1:{service.port}" for service in services}
    for item in upstream:
        name, _, address = item.partition("=")
        if name not in upstreams or not address:
            raise click.UsageError(f"{item!r}: it takes SERVICE=HOST:PORT, SERVICE of {', '.join(upstreams)}")
        upstreams[name] = address
    click.echo(json.dumps(caddy.configuration(services, listen=listen, upstreams=upstreams), indent=2))


@main.command(name="kong")
@click.option("--redis-host", default="valkey", show_default=True, help="Where rate limits are counted.")
def print_kong(redis_host: str) -> None:
    """Of Kong without a database, for compose.yaml, in YAML."""
    click.echo(
        yaml.safe_dump(kong.configuration(_loaded(), redis_host=redis_host), sort_keys=False), nl=False
    )


def _loaded() -> list[ServiceRoutes]:
    try:
        return load()
    except RoutesError as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
