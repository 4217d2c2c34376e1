"""MongoDB's protocol: FerretDB over SQLite, with logins."""

import http.client
import secrets

from services.local import servers
from services.stores.process import Supervised, free_port, new_directory
from services.stores.server import Server


def launch(*, user: str = "tests", password: str = "") -> Server:
    """Start an empty server.

    Args:
        user: The name of its first user.
        password: Of that user; by default one that nobody else knows.

    Raises:
        ShopError: FerretDB can't be built.
    """
    program = servers.ferretdb()
    home, port, health = new_directory("ferretdb"), free_port(), free_port()
    password = password or secrets.token_hex(16)
    process = Supervised(
        "FerretDB",
        [program, "--handler=sqlite", f"--state-dir={home}", f"--sqlite-url=file:{home}/",
         f"--listen-addr=127.0.0.1:{port}", f"--debug-addr=127.0.0.1:{health}", "--telemetry=disable",
         "--test-enable-new-auth", "--setup-database=admin", f"--setup-username={user}"],
        home / "log", environment={"FERRETDB_SETUP_PASSWORD": password}, stop_signal="SIGKILL", remove=home,
    )  # fmt: skip
    options = "authSource=admin&authMechanism=SCRAM-SHA-256&directConnection=true"
    url = f"mongodb://{user}:{password}@127.0.0.1:{port}/?{options}"
    return Server(url, port, [process], lambda: _is_healthy(health))


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/debug/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
