"""`python -m services.local`: the shop on one machine."""

import contextlib
import sys
from pathlib import Path

import click

from services.local import guest, ports, running
from services.local.demo import flows
from services.local.demo.client import DemoError
from services.local.errors import ShopError
from services.local.home import Home
from services.local.variables import prepare as prepare_shop

_INTERNAL = {"product-internal", "mongodb-health", "rabbitmq-distribution", "epmd"}

tools_option = click.option(
    "--tools", required=True,
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="The folder with process-compose and caddy (cloudcommerce-sandbox tools --group shop).",
)  # fmt: skip
ports_option = click.option(
    "--ports", "choice", type=click.Choice(["fixed", "free"]), default="fixed", show_default=True,
    help="The same ports each time, or any that are free.",
)  # fmt: skip


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run the whole shop on this machine, without Docker."""


@main.command()
def prepare() -> None:
    """Build and fetch what the shop needs, and start nothing."""
    prepare_shop(Home.open(), dict(ports.DEFAULTS))


@main.command()
@tools_option
@ports_option
def up(tools: Path, choice: str) -> None:
    """Start the shop, and stop all of it on Ctrl-C."""
    home = Home.open()
    if running.processes(home, tools):
        raise ShopError("The shop runs already: make services-status")
    click.echo("Preparing the shop (the first time fetches and builds, which takes minutes) ...", err=True)
    shop = prepare_shop(home, ports.choose(home, free=choice == "free"))
    for name, port in shop.ports.items():
        if name not in _INTERNAL:
            click.echo(f"  {name:<13} 127.0.0.1:{port}", err=True)
    click.echo(f"  logs          {home.logs}\n  sent letters  {home.letters}", err=True)
    sys.exit(running.run(shop, tools))


@main.command()
@tools_option
def status(tools: Path) -> None:
    """Show each process, its health and its port; fails when something is not well."""
    home = Home.open()
    found = running.processes(home, tools)
    if not found:
        raise ShopError("The shop does not run: make services")
    listening = ports.current(home)
    for process in found:
        state = "well" if running.is_well(process) else "NOT WELL"
        port = listening.get(process["name"], "")
        click.echo(f"{process['name']:<20} {state:<9} {process['status']:<12} {port}")
    if not all(map(running.is_well, found)):
        sys.exit(1)


@main.command()
@tools_option
def demo(tools: Path) -> None:
    """Walk through registration, search and order; starts a shop of its own when none runs."""
    home = Home.open()
    with contextlib.ExitStack() as stack:
        if not running.processes(home, tools):
            click.echo("No shop runs here: starting one for the demo ...", err=True)
            stack.enter_context(guest.started(home, tools))
        try:
            flows.walk(flows.Shop.of(home, click.echo))
        except DemoError as error:
            click.echo(f"\nThe shop is not as it should be: {error}\nLogs: {home.logs}", err=True)
            sys.exit(1)


if __name__ == "__main__":
    try:
        main()
    except ShopError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
