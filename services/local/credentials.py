"""Passwords, tokens and signing keys, made once a machine."""

import json
import os
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

from services.local.errors import ShopError
from services.local.home import Home

NAMES = (
    "postgres_superuser",
    "orders",
    "orders_migration",
    "products",
    "products_migration",
    "redis_user",
    "redis_product",
    "redis_order",
    "mongodb_user",
    "rabbitmq_order",
    "rabbitmq_notification",
    "rabbitmq_cookie",
    "internal_api_token",
    "cursor_secret",
    "stripe_api_key",
    "stripe_webhook_secret",
)
"""Who has a secret. They go into URLs as they are, so each is hexadecimal."""

_PREFIXES = {"stripe_api_key": "sk_test_", "stripe_webhook_secret": "whsec_"}
_BYTES = 24


def secrets_of(home: Home) -> dict[str, str]:
    """Return all secrets; those that are missing are made, and kept for the next run.

    Args:
        home: The shop.
    """
    file = home.root / "secrets.json"
    found: Mapping[str, str] = json.loads(file.read_text()) if file.exists() else {}
    complete = {
        name: found.get(name) or _PREFIXES.get(name, "") + secrets.token_hex(_BYTES) for name in NAMES
    }
    if complete != found:
        write_privately(file, json.dumps(complete, indent=2) + "\n")
    return complete


def signing_keys(home: Home, user_build: Path) -> Path:
    """Return the file with the keys that sign access tokens; the user service's own command makes it.

    Args:
        home: The shop.
        user_build: The built user service.

    Raises:
        ShopError: The command failed.
    """
    file = home.root / "jwt-keys.json"
    if not file.exists():
        done = subprocess.run(
            ["node", "dist/src/commands/keys.js", "new"],
            cwd=user_build, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ShopError(f"The user service makes no keys:\n{done.stderr}")
        write_privately(file, done.stdout)
    return file


def write_privately(file: Path, text: str) -> None:
    """Write a file that nobody else reads, at no time.

    Args:
        file: The file; it appears whole or not at all.
        text: What goes into it.
    """
    building = file.with_suffix(".partial")
    building.unlink(missing_ok=True)
    with os.fdopen(os.open(building, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
        handle.write(text)
    building.rename(file)
