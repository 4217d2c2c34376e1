"""The three services, each built once from its sources and its lock."""

import sys
from pathlib import Path

from services.local.building import CHECKOUT, built_once, run

_SERVICES = CHECKOUT / "services"
_INSTALL_NODE = "install Node.js 20.19 or newer with npm (https://nodejs.org)"
_INSTALL_GO = "install Go 1.26 or newer (https://go.dev/doc/install)"


def user() -> Path:
    """Return the folder of the built user service, with `dist` and `node_modules`."""
    service = _SERVICES / "user"
    lock = [service / name for name in ("package.json", "package-lock.json", ".npmrc")]
    modules = built_once("user-modules", lock, _install_modules)

    def build(directory: Path) -> None:
        (directory / "node_modules").symlink_to(modules / "node_modules")
        run("The user service", _INSTALL_NODE, ["npm", "run", "--silent", "build"], directory)

    sources = [service / name for name in ("tsconfig.json", "tsconfig.build.json", "routes.yaml", "src")]
    return built_once("user", [*lock, *sources], build)


def _install_modules(directory: Path) -> None:
    run("The user service", _INSTALL_NODE, ["npm", "ci", "--ignore-scripts", "--no-audit"], directory)


def product() -> Path:
    """Return the Python of a virtual environment with what the product service's hashed lock names."""
    lock = _SERVICES / "product" / "requirements.txt"
    return built_once("product", [lock], _install_packages) / "venv" / "bin" / "python"


def _install_packages(directory: Path) -> None:
    remedy = "install Python 3.11 or newer with venv (Debian: apt-get install -y python3-venv)"
    run("The product service", remedy, [sys.executable, "-m", "venv", "venv"], directory)
    install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    hashed = ["--require-hashes", "-r", "requirements.txt"]
    run("The product service", remedy, [directory / "venv/bin/python", *install, *hashed], directory)


def order() -> Path:
    """Return the folder with the programs `order`, `notification` and `stripe-double`."""
    service = _SERVICES / "order"
    sources = [
        service / name for name in ("go.mod", "go.sum", "description.go", "openapi.json", "cmd", "internal")
    ]
    return built_once("order", sources, _compile) / "programs"


def _compile(directory: Path) -> None:
    # Not stamped with a revision: the copy is no checkout.
    command = ["go", "build", "-trimpath", "-buildvcs=false", "-o", "programs/", "./cmd/..."]
    run("The order service", _INSTALL_GO, command, directory)
