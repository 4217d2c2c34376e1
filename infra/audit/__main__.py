"""`python -m infra.audit --schema` prints the JSON Schema that is committed as `schema.json`."""

import argparse
import sys

from infra.audit.models import schema_text


def main() -> None:
    """Print the schema."""
    parser = argparse.ArgumentParser(prog="python -m infra.audit", description=__doc__)
    parser.add_argument("--schema", action="store_true", required=True, help="print the JSON Schema")
    parser.parse_args()
    sys.stdout.write(schema_text())


if __name__ == "__main__":
    main()
