"""RabbitMQ after the bootstrap, seen by the services' own users on a real broker."""

from collections.abc import Callable, Iterator

import pika.exceptions
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from tests.stores.rabbitmq import RabbitServer
from tests.stores.shop import Shop

pytestmark = pytest.mark.mission_M25


@pytest.fixture
def broker(shop: Shop, rabbitmq_server: RabbitServer) -> Iterator[Shop]:
    """The shop's vhost and users."""
    shop.add_rabbitmq(rabbitmq_server)
    assert shop.run().code == 0
    yield shop
    rabbitmq_server.api("DELETE", "vhosts", shop.name("shop"))
    for user in rabbitmq_server.api("GET", "users")[1]:
        if user["name"].startswith(shop.namespace):
            rabbitmq_server.api("DELETE", "users", user["name"])


def test_a_second_run_changes_nothing(broker: Shop) -> None:
    again = broker.run()
    assert (again.code, again.changes, again.problems) == (0, [], [])


def test_users_do_their_work_and_nothing_else(broker: Shop, rabbitmq_server: RabbitServer) -> None:
    orders, mail, vhost = broker.name("orders"), broker.name("mail"), broker.name("shop")
    with rabbitmq_server.connect(orders, broker.passwords[orders], vhost) as connection:
        connection.channel().exchange_declare("orders.events", "fanout", durable=True)
    with rabbitmq_server.connect(mail, broker.passwords[mail], vhost) as connection:
        channel = connection.channel()
        channel.queue_declare("mail", durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind("mail", "orders.events")
    with rabbitmq_server.connect(orders, broker.passwords[orders], vhost) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        channel.basic_publish("orders.events", "", b"order 1", mandatory=True)
        refused: list[Callable[[BlockingChannel], object]] = [
            lambda channel: channel.basic_get("mail"),
            lambda channel: channel.queue_declare("mine"),
            lambda channel: channel.queue_delete("mail"),
            lambda channel: channel.exchange_declare("not-orders.events"),
            lambda channel: channel.queue_purge("mail"),
        ]
        for attempt in refused:
            with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
                attempt(connection.channel())
    with rabbitmq_server.connect(mail, broker.passwords[mail], vhost) as connection:
        assert connection.channel().basic_get("mail", auto_ack=True)[2] == b"order 1"


def test_users_enter_no_other_vhost_and_no_management(broker: Shop, rabbitmq_server: RabbitServer) -> None:
    orders = broker.name("orders")
    with pytest.raises(pika.exceptions.ProbableAccessDeniedError):
        rabbitmq_server.connect(orders, broker.passwords[orders], "/")
    for path in (("overview",), ("users",), ("whoami",)):
        status, _ = rabbitmq_server.api("GET", *path, user=orders, password=broker.passwords[orders])
        assert status == 401


def test_the_second_login_waits_without_password(broker: Shop, rabbitmq_server: RabbitServer) -> None:
    clone = broker.name("orders_clone")
    assert rabbitmq_server.api("GET", "users", clone)[1]["password_hash"] == ""
    for guess in (" ", "guest", broker.passwords[broker.name("orders")]):
        with pytest.raises(
            (pika.exceptions.AuthenticationError, pika.exceptions.ProbableAuthenticationError)
        ):
            rabbitmq_server.connect(clone, guess, broker.name("shop"))


def test_a_changed_secret_changes_the_password(broker: Shop, rabbitmq_server: RabbitServer) -> None:
    mail, old = broker.name("mail"), broker.passwords[broker.name("mail")]
    broker.secret(mail, password="another-pässword")
    assert broker.run().changes == [("updated", f"user {mail}", "password from its secret")]
    rabbitmq_server.connect(mail, "another-pässword", broker.name("shop")).close()
    with pytest.raises((pika.exceptions.AuthenticationError, pika.exceptions.ProbableAuthenticationError)):
        rabbitmq_server.connect(mail, old, broker.name("shop"))


def test_drift_is_taken_back_and_reported(broker: Shop, rabbitmq_server: RabbitServer) -> None:
    orders, mail, vhost = broker.name("orders"), broker.name("mail"), broker.name("shop")
    stranger, everything = broker.name("stranger"), {"configure": ".*", "write": ".*", "read": ".*"}
    _, user = rabbitmq_server.api("GET", "users", orders)
    for path, body in [
        (("users", orders), {"password_hash": user["password_hash"], "tags": "administrator"}),
        (("users", stranger), {"password": "x", "tags": ""}),
        (("permissions", vhost, stranger), everything),
        (("permissions", "/", orders), everything),
        (("permissions", vhost, mail), everything),
        (("topic-permissions", vhost, mail), {"exchange": "orders.events", "write": ".*", "read": ".*"}),
        (("policies", vhost, "mine"), {"pattern": ".*", "definition": {"max-length": 1}}),
        (("policies", vhost, "dead-letters"), {"pattern": ".*", "definition": {"max-length": 1}}),
    ]:
        assert rabbitmq_server.api("PUT", *path, body=body)[0] in {201, 204}
    found = broker.run()
    assert (found.code, sorted(found.changes)) == (0, sorted([
        ("revoked", f"user {orders}", "tags administrator"),
        ("revoked", f"user {stranger}", f"permission in vhost {vhost}"),
        ("revoked", f"user {orders}", "permission in vhost /"),
        ("updated", f"user {mail}",
         rf"vhost {vhost}: configure ^mail$, write ^mail$, read ^(mail|orders\..*)$"),
        ("revoked", f"user {mail}", f"topic permission in vhost {vhost}"),
        ("revoked", "policy mine", f"in vhost {vhost}"),
        ("updated", "policy dead-letters", f"in vhost {vhost}"),
    ]))  # fmt: skip
    rabbitmq_server.connect(orders, broker.passwords[orders], vhost).close()
    assert broker.run().changes == []


def test_what_amazon_mq_keeps_for_itself_stays(broker: Shop, rabbitmq_server: RabbitServer) -> None:
    vhost, monitor = broker.name("shop"), "monitoring-AWS-OWNED-DO-NOT-DELETE"
    rabbitmq_server.api("PUT", "users", monitor, body={"password": "x", "tags": "monitoring"})
    rabbitmq_server.api(
        "PUT", "permissions", vhost, monitor, body={"configure": "", "write": "", "read": ".*"}
    )
    policy = {"pattern": ".*", "definition": {"ha-mode": "all"}}
    rabbitmq_server.api("PUT", "policies", vhost, "ha-all-AWS-OWNED-DO-NOT-DELETE", body=policy)
    assert broker.run().changes == []


def test_a_dry_run_says_what_a_run_then_does(shop: Shop, rabbitmq_server: RabbitServer) -> None:
    shop.add_rabbitmq(rabbitmq_server)
    dry = shop.run("--dry-run")
    assert rabbitmq_server.api("GET", "vhosts", shop.name("shop"))[0] == 404
    assert sorted(shop.run().changes) == sorted(dry.changes)
