"""What keeps the processes of a shop busy, by wrk."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.local.demo import flows
from services.local.errors import ShopError

_POST = Path(__file__).with_name("post.lua")
_STOCK = 10_000_000
_LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Load:
    """Requests of one kind, as many as are answered.

    Attributes:
        url: Where they go.
        token: Of who sends them; empty sends none.
        body: Posted as JSON, with a new idempotency key each time; None gets instead.
        clients: How many send at a time.
    """

    url: str
    token: str = ""
    body: dict[str, Any] | None = None
    clients: int = 16

    def command(self, seconds: int) -> list[str]:
        """Return the command that sends them.

        Args:
            seconds: For how long.
        """
        headers = ["--header", f"Authorization: Bearer {self.token}"] if self.token else []
        script = [] if self.body is None else ["--script", str(_POST)]
        options = ["--threads=1", f"--connections={self.clients}", f"--duration={seconds}s", "--timeout=10s"]
        return ["wrk", *options, *headers, *script, self.url]

    def environment(self) -> dict[str, str]:
        """Return what the script reads."""
        return {"BODY": json.dumps(self.body), "KEYS": secrets.token_hex(8)}


def send(loads: Sequence[Load], seconds: int, look: Callable[[], None]) -> None:
    """Send loads, one after the other.

    Args:
        loads: What is sent.
        seconds: How long each is sent.
        look: Called a few times a second meanwhile.

    Raises:
        ShopError: There is no wrk, or something was not answered with success.
    """
    if shutil.which("wrk") is None:
        raise ShopError("wrk is not on PATH: apt-get install -y wrk")
    for load in loads:
        with subprocess.Popen(
            load.command(seconds), env={**os.environ, **load.environment()},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as sender:  # fmt: skip
            try:
                said = _watched(sender, look)
            finally:
                sender.kill()
        if sender.returncode or "Non-2xx" in said or "Socket errors" in said:
            raise ShopError(f"not all of {load.url} was answered with success:\n{said}")


def _watched(sender: "subprocess.Popen[str]", look: Callable[[], None]) -> str:
    while True:
        look()
        try:
            return sender.communicate(timeout=_LOOK_SECONDS)[0]
        except subprocess.TimeoutExpired:
            continue


def loads_of(shop: flows.Shop) -> list[Load]:
    """Return loads for every process of a shop: profile reads, logins, searches and paid orders.

    Args:
        shop: It runs, without the user service's rate limits.
    """
    account, employee = flows.registration(shop), flows.staff(shop)
    word = "lamp" + secrets.token_hex(4)
    product = {
        "sku": f"SKU-{word}", "name": f"Brass {word}", "description": "For desks.", "price_minor": 3999,
        "currency": "USD",
    }  # fmt: skip
    identifier = employee.call("POST", "/api/v1/products", product, wanted=201).body["id"]
    stock = {"on_hand": _STOCK, "reason": "count"}
    employee.call("PUT", f"/api/v1/products/{identifier}/stock", stock, wanted=200)
    login = {"email": account.email, "password": account.password}
    order = {
        "items": [{"product_id": identifier, "quantity": 1}],
        "contact_email": account.email,
        "payment_method": "pm_card_visa",
    }
    token = account.client.token
    user, goods, orders = (f"http://127.0.0.1:{shop.ports[name]}" for name in ("user", "product", "order"))
    return [
        Load(f"{user}/api/v1/users/me", token),
        Load(f"{user}/api/v1/auth/login", body=login, clients=4),
        Load(f"{goods}/api/v1/products?q={word}"),
        Load(f"{orders}/api/v1/orders", token, order, clients=8),
    ]
