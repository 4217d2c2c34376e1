"""The sandbox's view of the checkout, whatever lies in the checkout."""

from pathlib import Path

import pytest
from cloudcommerce_sandbox.workspace.layout import Layout
from cloudcommerce_sandbox.workspace.view import refresh_view


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "Pulumi.yaml").write_text("name: fixture\nruntime: python\n")
    (tmp_path / "Pulumi.prod.yaml").write_text("config: {}\n")
    return Layout(tmp_path)


@pytest.mark.parametrize(
    ("name", "target"), [(".#README.md", "somebody@machine.4711:1"), ("loop", "loop"), ("gone", "/no/such")]
)
def test_links_to_nowhere_are_linked_and_go_with_their_original(
    layout: Layout, name: str, target: str
) -> None:
    link = layout.checkout / name
    link.symlink_to(target)

    for _ in range(3):
        refresh_view(layout, "prod")
    assert (layout.project / name).readlink() == link

    link.unlink()
    refresh_view(layout, "prod")
    assert not (layout.project / name).is_symlink()
