"""The command line: `python -m cloudcommerce_product serve|migrate|maintain|openapi`."""

import argparse
import asyncio
import sys

from cloudcommerce_product.database.migrate import maintain, migrate
from cloudcommerce_product.settings import ConfigurationError, DatabaseSettings, Settings, load


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="cloudcommerce_product", description=__doc__)
    parser.add_argument("command", choices=["serve", "migrate", "maintain", "openapi"])
    chosen = parser.parse_args(arguments).command
    try:
        _run(chosen)
    except ConfigurationError as error:
        sys.stderr.write(f"The configuration is wrong:\n{error}\n")
        return 2
    return 0


def _run(command: str) -> None:
    if command == "migrate":
        asyncio.run(migrate(load(DatabaseSettings)))
    elif command == "maintain":
        made = asyncio.run(maintain(load(DatabaseSettings)))
        sys.stdout.write(f"partitions made: {', '.join(made) or 'none'}\n")
    elif command == "openapi":
        from cloudcommerce_product.web.openapi import description  # noqa: PLC0415 - migrations need no web

        sys.stdout.write(description())
    else:
        from cloudcommerce_product.server import serve  # noqa: PLC0415

        serve(load(Settings))


if __name__ == "__main__":
    sys.exit(main())
