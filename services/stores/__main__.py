"""`python -m services.stores`: stores for running single tests by hand, until Ctrl-C."""

import signal
import sys

import click

from services.local.errors import ShopError
from services.stores import together


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("kinds", nargs=-1, type=click.Choice(together.KINDS))
def main(kinds: tuple[str, ...]) -> None:
    """Start these stores, or all, and print the variables that lead the services' tests to them."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with together.running(kinds or together.KINDS) as urls:
        for kind, url in urls.items():
            click.echo(f"export TEST_{kind.upper()}_URL='{url}'")
        click.echo("They run until Ctrl-C.", err=True)
        signal.pause()


if __name__ == "__main__":
    try:
        main()
    except ShopError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
