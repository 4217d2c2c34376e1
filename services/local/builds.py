"""The three services, each built once from its sources and its lock, and what their tests need."""

import sys
from pathlib import Path

from services.local.building import CHECKOUT, built_once, run

_SERVICES = CHECKOUT / "services"
_INSTALL_NODE = "install Node.js 20.19 or newer with npm (https://nodejs.org)"
_INSTALL_GO = "install Go 1.26 or newer (https://go.dev/doc/install)"


_USER_LOCK = [_SERVICES / "user" / name for name in ("package.json", "package-lock.json", ".npmrc")]


def user() -> Path:
    """Return the folder of the built user service, with `dist` and `node_modules`."""
    modules = user_modules()

    def build(directory: Path) -> None:
        (directory / "node_modules").symlink_to(modules)
        run("The user service", _INSTALL_NODE, ["npm", "run", "--silent", "build"], directory)

    names = ("tsconfig.json", "tsconfig.build.json", "routes.yaml", "src")
    return built_once("user", [*_USER_LOCK, *(_SERVICES / "user" / name for name in names)], build)


def user_modules() -> Path:
    """Return `node_modules` of the user service's lock, with what its tests need."""
    return built_once("user-modules", _USER_LOCK, _install_modules) / "node_modules"


def _install_modules(directory: Path) -> None:
    run("The user service", _INSTALL_NODE, ["npm", "ci", "--ignore-scripts", "--no-audit"], directory)


def product() -> Path:
    """Return the Python of a virtual environment with what the product service's hashed lock names."""
    return _virtual_environment("product", "requirements.txt")


def product_development() -> Path:
    """Return the same with what its tests need, and with the service itself as it stands in the checkout."""
    python = _virtual_environment("product-development", "requirements-dev.txt")
    # As an editable installation would; that one writes beside the sources.
    packages = next((python.parents[1] / "lib").glob("python*/site-packages"))
    (packages / "cloudcommerce_product.pth").write_text(f"{_SERVICES / 'product' / 'src'}\n")
    return python


def _virtual_environment(name: str, lock: str) -> Path:
    def install(directory: Path) -> None:
        remedy = "install Python 3.11 or newer with venv (Debian: apt-get install -y python3-venv)"
        run("The product service", remedy, [sys.executable, "-m", "venv", "venv"], directory)
        options = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        hashed = ("--require-hashes", "-r", lock)
        run("The product service", remedy, [directory / "venv/bin/python", *options, *hashed], directory)

    return built_once(name, [_SERVICES / "product" / lock], install) / "venv" / "bin" / "python"


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


def order_tools() -> Path:
    """Return the folder with the programs that check the order service: `staticcheck`, `stripe-mock`."""
    module = _SERVICES / "order" / "tools"
    return built_once("order-tools", [module / "go.mod", module / "go.sum"], _compile_tools) / "programs"


def _compile_tools(directory: Path) -> None:
    command = ["go", "build", "-trimpath", "-buildvcs=false", "-o", "programs/", "tool"]
    run("The order service's tools", _INSTALL_GO, command, directory)
