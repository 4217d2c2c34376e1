"""The flows: registration, search, order."""

import base64
import json
import os
import secrets
import subprocess
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.local import builds, credentials, ports
from services.local.demo.client import Client, DemoError, Show, expect
from services.local.home import Home

_EVENT_SECONDS = 15.0
_LETTER_SECONDS = 20.0
_UNITS = 20
_WANTED = 3


@dataclass
class Shop:
    """A running shop, as somebody on this machine sees it.

    Attributes:
        home: Its folder.
        ports: Where everything listens.
        show: Takes each line that people should see.
    """

    home: Home
    ports: dict[str, int]
    show: Show

    @classmethod
    def of(cls, home: Home, show: Show) -> "Shop":
        """Return the shop that runs in a folder."""
        return cls(home, ports.current(home), show)

    def client(self, name: str = "TOKEN") -> Client:
        """Return a visitor without a token."""
        return Client(f"127.0.0.1:{self.ports['gateway']}", self.show, name=name)

    def inside(self, process: str) -> Client:
        """Return a client of a process itself, past the gateway, for what is not public."""
        return Client(f"127.0.0.1:{self.ports[process]}", self.show)

    def make_staff(self, email: str) -> None:
        """Give an account the administrator's role, as operators do: there is no way over HTTP."""
        password = credentials.secrets_of(self.home)["mongodb_user"]
        url = f"mongodb://user:{password}@127.0.0.1:{self.ports['mongodb']}/"
        query = "?authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true"
        done = subprocess.run(
            ["node", "dist/src/commands/roles.js", email, "customer", "admin"],
            cwd=builds.user(), env={**os.environ, "MONGODB_URL": url + query},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        expect(done.returncode == 0, "the roles command gives a role", done.stderr)

    def cache_outcomes(self) -> dict[str, float]:
        """Return how often the product service's cache had or missed something, by outcome."""
        metrics = self.inside("product").call("GET", "/metrics", wanted=200, shown=None).body
        found: dict[str, float] = {}
        for line in metrics.splitlines():
            if line.startswith("cloudcommerce_product_cache_requests_total{"):
                outcome = line.split('outcome="')[1].split('"')[0]
                found[outcome] = found.get(outcome, 0) + float(line.rsplit(" ", 1)[1])
        return found

    def letters(self, order: str) -> list[dict[str, Any]]:
        """Return what the worker sent about an order."""
        path: Path = self.home.letters
        lines = path.read_text().splitlines() if path.exists() else []
        return [
            letter for line in lines if line.strip() and (letter := json.loads(line))["order_id"] == order
        ]

    def charges(self, order: str) -> list[dict[str, Any]]:
        """Return the money that moved for an order, from the ledger of the Stripe double."""
        ledger = self.inside("stripe").call("GET", "/double/ledger", wanted=200, shown=None).body
        return [entry for entry in ledger or [] if entry["order_id"] == order]


@dataclass(frozen=True)
class Account:
    """A registered customer."""

    client: Client
    email: str
    password: str
    user_id: str


@dataclass(frozen=True)
class Product:
    """Something in stock."""

    id: str
    price_minor: int


def registration(shop: Shop) -> Account:
    """Register, and use the token: a published key has signed it, and it opens its owner's profile."""
    client = shop.client()
    account = _register(client, "ada")
    header, claims = _decoded(client.token)
    shop.show(f"  token: {header['alg']}, kid {header['kid']}, sub {claims['sub']}, roles {claims['roles']}")
    keys = client.call("GET", "/.well-known/jwks.json", wanted=200).body["keys"]
    expect(header["kid"] in [key["kid"] for key in keys], "the signing key is published", header)
    expect(header["alg"] == "ES256" and claims["sub"] == account.user_id, "the token names its owner", claims)
    profile = client.call("GET", "/api/v1/users/me", wanted=200, shown="id email display_name").body
    expect(profile["id"] == account.user_id, "the profile is the owner's", profile)
    shop.client().call("GET", "/api/v1/users/me", wanted=401, shown="type title")
    _repeated(account)
    return account


def _repeated(account: Account) -> None:
    body = {"email": account.email, "password": account.password, "display_name": "Eve"}
    Client(account.client.host, account.client.show).call(
        "POST", "/api/v1/auth/register", body, wanted=409, shown="type title"
    )


def staff(shop: Shop) -> Client:
    """Return somebody with the administrator's role."""
    client = shop.client("STAFF_TOKEN")
    account = _register(client, "staff", shown=None)
    shop.make_staff(account.email)
    login = {"email": account.email, "password": account.password}
    client.token = client.call("POST", "/api/v1/auth/login", login, wanted=200, shown=None).body[
        "access_token"
    ]
    return client


def search(shop: Shop) -> Product:
    """Put a product up for sale and find it twice: once from PostgreSQL, once from the cache."""
    employee = staff(shop)
    word = "kettle" + secrets.token_hex(4)
    product = {
        "sku": f"SKU-{word}", "name": f"Copper {word}", "description": "Boils a liter in three minutes.",
        "price_minor": 4999, "currency": "USD",
    }  # fmt: skip
    made = employee.call("POST", "/api/v1/products", product, wanted=201, shown="id sku price_minor").body
    stock = f"/api/v1/products/{made['id']}/stock"
    employee.call("PUT", stock, {"on_hand": _UNITS, "reason": "delivery"}, wanted=200, shown="available")
    client = shop.client()
    for source, outcome in (("PostgreSQL", "miss"), ("the cache", "hit")):
        before = shop.cache_outcomes()
        page = client.call("GET", f"/api/v1/products?q={word}&sort=relevance", wanted=200).body
        after = shop.cache_outcomes()
        expect([item["id"] for item in page["items"]] == [made["id"]], "the search finds the product", page)
        counted = after.get(outcome, 0) - before.get(outcome, 0)
        expect(counted >= 1, f"the answer comes from {source}", {"before": before, "after": after})
        shop.show(f"  found {page['items'][0]['name']!r}, from {source}")
    return Product(made["id"], made["price_minor"])


def order(shop: Shop, account: Account, product: Product) -> str:
    """Fill a cart, order it, pay, and see stock, money, live updates and letters follow; returns its id."""
    client = account.client
    lines = [{"product_id": product.id, "quantity": _WANTED}]
    client.call("PUT", "/api/v1/cart", {"items": lines}, wanted=200)
    key = str(uuid.uuid4())
    body = {"contact_email": account.email}
    made = _ordered(client, key, body)
    expect(made["state"] == "reserved", "the units are held for the customer", made)
    expect(made["total_minor"] == _WANTED * product.price_minor, "the total is the price of three", made)
    _available(client, product, _UNITS - _WANTED)
    path = f"/api/v1/orders/{made['id']}"
    with client.stream(f"{path}/events") as events:
        intent = made["payment_client_secret"].partition("_secret")[0]
        shop.show("  ... the customer pays in the browser (the Stripe double plays it) ...")
        shop.inside("stripe").call("POST", f"/double/payment_intents/{intent}/pay", wanted=200)
        _follow(shop, events_until_paid=_until(events.next, "paid"))
    paid = client.call("GET", path, wanted=200, shown="state total_minor currency timeline").body
    expect(paid["state"] == "paid", "the order is paid", paid)
    _once(shop, client, key, body, made)
    _private(shop, path)
    _notified(shop, made["id"])
    return str(made["id"])


def _ordered(client: Client, key: str, body: dict[str, str]) -> dict[str, Any]:
    headers = {"idempotency-key": key}
    answer = client.call(
        "POST", "/api/v1/orders", body, headers=headers, wanted=201, shown="id state total_minor currency"
    )
    made: dict[str, Any] = answer.body
    return made


def _available(client: Client, product: Product, wanted: int) -> None:
    path = f"/api/v1/products/{product.id}/stock"
    stock = client.call("GET", path, wanted=200, shown="on_hand reserved available").body
    expect(stock["available"] == wanted, f"{wanted} units are left", stock)


def _until(following: Any, last: str) -> Iterator[tuple[str, Any]]:
    while True:
        event, data = following(_EVENT_SECONDS)
        yield event, data
        if event == last:
            return


def _follow(shop: Shop, events_until_paid: Iterator[tuple[str, Any]]) -> None:
    for event, data in events_until_paid:
        shop.show(f"  live: {event} {json.dumps(data)}")


def _once(shop: Shop, client: Client, key: str, body: dict[str, str], made: dict[str, Any]) -> None:
    again = _ordered(client, key, body)
    expect(again["id"] == made["id"], "a repeated request is the same order", again)
    charges = shop.charges(made["id"])
    expect([charge["amount"] for charge in charges] == [made["total_minor"]], "money moved once", charges)
    shop.show(f"  Stripe's ledger: {json.dumps(charges)}")


def _private(shop: Shop, path: str) -> None:
    stranger = shop.client("STRANGER_TOKEN")
    _register(stranger, "eve", shown=None)
    stranger.call("GET", path, wanted=404, shown="type title")


def _notified(shop: Shop, order_id: str) -> None:
    wanted = ["order.created", "order.paid"]
    deadline = time.monotonic() + _LETTER_SECONDS
    while len(letters := shop.letters(order_id)) < len(wanted) and time.monotonic() < deadline:
        time.sleep(0.1)
    found = sorted(letter["type"] for letter in letters)
    expect(found == wanted, "the customer is told of the order and of the payment, once each", found)
    for letter in letters:
        shop.show(f"  letter to {letter['to']}: {letter['subject']}")


def _register(client: Client, name: str, shown: str | None = "token_type expires_in") -> Account:
    email = f"{name}.{secrets.token_hex(5)}@example.com"
    password = f"demo {secrets.token_hex(8)}"
    body = {"email": email, "password": password, "display_name": name.capitalize()}
    registered = client.call("POST", "/api/v1/auth/register", body, wanted=201, shown=shown).body
    client.token = registered["access_token"]
    return Account(client, email, password, registered["user"]["id"])


def _decoded(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        header, claims, _signature = token.split(".")
    except ValueError as error:
        raise DemoError("the access token is a signed JWT; found: something else") from error
    return _part(header), _part(claims)


def _part(text: str) -> dict[str, Any]:
    decoded: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    return decoded


def walk(shop: Shop) -> None:
    """Walk all three and tell how long each took.

    Args:
        shop: A running shop.

    Raises:
        DemoError: Something is not as it should be.
    """
    timeline: list[tuple[str, float]] = []

    def timed(title: str, started: float) -> None:
        timeline.append((title, time.perf_counter() - started))

    started = time.perf_counter()
    shop.show("\n== 1. Registration: an account and its token ==")
    account = registration(shop)
    timed("registration", started)
    started = time.perf_counter()
    shop.show("\n== 2. Search: from PostgreSQL, then from the cache ==")
    product = search(shop)
    timed("search", started)
    started = time.perf_counter()
    shop.show("\n== 3. Order: cart, stock, payment, live update, notification ==")
    order(shop, account, product)
    timed("order", started)
    shop.show("\n== All three flows work ==")
    for title, seconds in timeline:
        shop.show(f"  {title:<14} {seconds:6.2f} s")
