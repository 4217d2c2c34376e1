"""A shop of its own for the tests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.local.building import CHECKOUT
from services.local.home import Home


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give every test of this folder to one worker, so that the shop is started once."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("shop"))


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder with process-compose and Caddy."""
    folder = CHECKOUT / ".sandbox" / "bin"
    for name in ("process-compose", "caddy"):
        if not (folder / name).exists():
            pytest.fail(f"there is no {folder / name}: make services-tools", pytrace=False)
    return folder


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """An empty shop, where PostgreSQL's user may enter (pytest's own folders are closed to others)."""
    root = Path(tempfile.mkdtemp(prefix="cloudcommerce-shop-"))
    yield Home.open({"CLOUDCOMMERCE_SHOP_HOME": str(root)})
    shutil.rmtree(root)
