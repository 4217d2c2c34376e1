"""The sandbox's copy of a stack file: what is set where, and what wins."""

from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.workspace.stackfile import Refreshed, refresh_copy
from hypothesis import given
from hypothesis import strategies as st

SALT = "v1:salt"


@pytest.fixture
def tracked(tmp_path: Path) -> Path:
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text("config:\n  shop:size: small\n  shop:zones: [a, b]\n")
    return path


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "view" / "Pulumi.prod.yaml"


def edit(path: Path, **settings: object) -> None:
    content = yaml.safe_load(path.read_text())
    content["config"] |= {f"shop:{key}": value for key, value in settings.items()}
    path.write_text(yaml.safe_dump(content))


def config(path: Path) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(path.read_text())["config"]
    return found


def test_salt_and_local_settings_stay_and_tracked_changes_arrive(tracked: Path, copy: Path) -> None:
    refresh_copy(tracked, copy)
    copy.write_text(f"encryptionsalt: {SALT}\n{copy.read_text()}")
    edit(copy, mine="local")
    edit(tracked, size="large")

    refreshed = refresh_copy(tracked, copy)

    assert refreshed == Refreshed(changed=("shop:size",), local=("shop:mine",))
    assert config(copy) == {"shop:size": "large", "shop:zones": ["a", "b"], "shop:mine": "local"}
    assert yaml.safe_load(copy.read_text())["encryptionsalt"] == SALT
    assert "encryptionsalt" not in tracked.read_text()


def test_tracked_change_wins_over_a_local_one_of_the_same_setting(tracked: Path, copy: Path) -> None:
    refresh_copy(tracked, copy)
    edit(copy, size="medium")
    assert refresh_copy(tracked, copy).local == ("shop:size",)
    assert config(copy)["shop:size"] == "medium"

    edit(tracked, size="large")
    refresh_copy(tracked, copy)

    assert config(copy)["shop:size"] == "large"


def remove(path: Path, key: str) -> None:
    content = yaml.safe_load(path.read_text())
    del content["config"][key]
    path.write_text(yaml.safe_dump(content))


def test_removal_in_the_tracked_file_arrives(tracked: Path, copy: Path) -> None:
    refresh_copy(tracked, copy)
    tracked.write_text("config: {}\n")
    refresh_copy(tracked, copy)

    assert config(copy) == {}


def test_removal_in_the_sandbox_brings_the_tracked_setting_back(tracked: Path, copy: Path) -> None:
    refresh_copy(tracked, copy)
    edit(copy, size="medium", mine="local")
    refresh_copy(tracked, copy)
    remove(copy, "shop:size")
    remove(copy, "shop:mine")

    refreshed = refresh_copy(tracked, copy)

    assert refreshed == Refreshed(restored=("shop:size",))
    assert config(copy) == {"shop:size": "small", "shop:zones": ["a", "b"]}
    assert refresh_copy(tracked, copy) == Refreshed()


def test_secrets_of_another_backend_are_left_out_and_named(tracked: Path, copy: Path) -> None:
    tracked.write_text(
        "secretsprovider: awskms://alias/x\nencryptedkey: abc\nencryptionsalt: theirs\n"
        "config:\n  shop:token: {secure: v1:xyz}\n"
        "  shop:nested: {a: [{secure: v1:xyz}]}\n  shop:size: small\n"
    )

    refreshed = refresh_copy(tracked, copy)

    assert refreshed.encrypted == ("shop:nested", "shop:token")
    assert yaml.safe_load(copy.read_text()) == {"config": {"shop:size": "small"}}


@pytest.mark.parametrize("damage", ["", "{", "- a list", "config: text", "\0"])
def test_damaged_copy_is_made_anew(tracked: Path, copy: Path, damage: str) -> None:
    refresh_copy(tracked, copy)
    copy.write_text(damage)

    refresh_copy(tracked, copy)

    assert config(copy) == config(tracked)


BOMB = "a: &a [x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}]\n" for a, b in pairwise("abcdefghijklmnop"))


@pytest.mark.parametrize(
    "content",
    [
        *("{", "- a list", "config: text", "\0", "config: &a {a: *a}", "config: {x: &a [*a]}", BOMB),
        *(
            "config: {1: a, b: c}",
            "config: {null: a, b: {secure: x}}",
            "config: {2026-01-01: a, b: c}",
            "1: a",
        ),
        *("config: {a: " + "[" * 5000 + "]" * 5000 + "}", "config: {a: 2026-13-45}", "a: !!int ''"),
        *("a: !!bool x", "a: !!timestamp x", "config: {[a]: b}", "a: " + "x" * 2**21),
    ],
    ids=lambda content: content[:20],
)
def test_tracked_file_that_is_none_is_refused_by_name(tracked: Path, copy: Path, content: str) -> None:
    tracked.write_text(content)

    with pytest.raises(SandboxError, match=r"Pulumi\.prod\.yaml"):
        refresh_copy(tracked, copy)


def test_tracked_file_in_another_encoding_is_refused_by_name(tracked: Path, copy: Path) -> None:
    tracked.write_bytes("config: {a: größe}".encode("latin-1"))

    with pytest.raises(SandboxError, match=r"Pulumi\.prod\.yaml"):
        refresh_copy(tracked, copy)


def test_deepest_nesting_that_is_taken_is_also_written(tracked: Path, copy: Path) -> None:
    tracked.write_text("config: {a: " + "[" * 48 + "]" * 48 + "}")

    refresh_copy(tracked, copy)

    assert config(copy) == config(tracked)


def test_missing_tracked_file_gives_an_empty_copy(tmp_path: Path, copy: Path) -> None:
    refresh_copy(tmp_path / "none.yaml", copy)

    assert config(copy) == {}


settings = st.dictionaries(st.sampled_from(["a:x", "a:y", "a:z"]), st.integers(0, 2))


@given(first=settings, second=settings)
def test_without_local_changes_the_copy_is_the_tracked_file(
    first: dict[str, int], second: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("stack")
    tracked, copy = folder / "Pulumi.prod.yaml", folder / "view" / "Pulumi.prod.yaml"
    for content in (first, second, second):
        tracked.write_text(yaml.safe_dump({"config": content}))
        refreshed = refresh_copy(tracked, copy)
        assert config(copy) == content
        assert refreshed.local == ()
    assert refreshed.changed == ()
