"""The random plugin: values of the asked shape, secret, stable, importable."""

import string
from collections.abc import Iterator

import bcrypt
import grpc
import pytest
from cloudcommerce_sandbox.plugins.random import generators
from cloudcommerce_sandbox.plugins.random.provider import RandomProvider
from cloudcommerce_sandbox.plugins.wire import UNKNOWN, Secret, encode
from hypothesis import given
from hypothesis import strategies as st
from pulumi.runtime.proto import provider_pb2

from sandbox.tests.plugins.plugin import Plugin, serving, urn

PASSWORD, STRING, ID, INTEGER, UUID = (
    f"random:index/random{name}:Random{name}" for name in ("Password", "String", "Id", "Integer", "Uuid")
)


@pytest.fixture(scope="module")
def plugin() -> Iterator[Plugin]:
    with serving(RandomProvider()) as found:
        found.configure()
        yield found


@given(
    minimums=st.fixed_dictionaries(
        {name: st.integers(0, 5) for name in ("minLower", "minUpper", "minNumeric", "minSpecial")}
    ),
    more=st.integers(1, 30),
)
def test_a_string_keeps_its_promises(minimums: dict[str, int], more: int) -> None:
    length = sum(minimums.values()) + more
    result = generators.text({**minimums, "length": length, "overrideSpecial": "_-"})["result"]
    assert len(result) == length
    assert set(result) <= set(string.ascii_letters + string.digits + "_-")
    for name, kind in (
        ("minLower", string.ascii_lowercase),
        ("minUpper", string.ascii_uppercase),
        ("minNumeric", string.digits),
        ("minSpecial", "_-"),
    ):
        assert sum(character in kind for character in result) >= minimums[name]


def test_switched_off_kinds_are_absent() -> None:
    result = generators.text({"length": 400, "special": False, "upper": False})["result"]
    assert set(result) <= set(string.ascii_lowercase + string.digits)


def test_a_password_is_secret_and_hashed(plugin: Plugin) -> None:
    id_, state = plugin.create(PASSWORD, plugin.checked(PASSWORD, {"length": 24}))
    assert id_ == "none", "the id is shown, so it tells nothing"
    assert isinstance(state["result"], Secret)
    assert isinstance(state["bcryptHash"], Secret)
    assert bcrypt.checkpw(state["result"].value.encode(), state["bcryptHash"].value.encode())


def test_values_differ_and_stay(plugin: Plugin) -> None:
    inputs = plugin.checked(STRING, {"length": 32})
    first, second = (plugin.create(STRING, inputs) for _ in range(2))
    assert first[0] != second[0]
    assert plugin.read(STRING, first[0], inputs, first[1]) == (first[0], inputs, first[1])


def test_preview_knows_no_value(plugin: Plugin) -> None:
    _, state = plugin.create(PASSWORD, plugin.checked(PASSWORD, {"length": 24}), preview=True)
    assert state["result"] == Secret(UNKNOWN)


@pytest.mark.parametrize(
    "change", [{"length": 25}, {"length": 24, "keepers": {"rotation": "2"}}, {"length": 24, "special": False}]
)
def test_every_change_replaces(plugin: Plugin, change: dict[str, object]) -> None:
    old = {"length": 24, "keepers": {"rotation": "1"}}
    kinds = set(plugin.diff(PASSWORD, old, change).values())
    assert kinds
    assert all(kind.endswith("_REPLACE") for kind in kinds)


@pytest.mark.parametrize(
    ("inputs", "path", "part"),
    [
        ({"length": 3, "minUpper": 4}, "length", "less than the 4"),
        ({"length": 0}, "length", "0 is less than"),
        ({"length": "9"}, "length", "must be an integer"),
        ({"lenght": 9}, "lenght", "did you mean length?"),
        (
            {"length": 9, "upper": False, "lower": False, "numeric": False, "special": False},
            "length",
            "switched off",
        ),
    ],
)
def test_impossible_arguments_are_refused(
    plugin: Plugin, inputs: dict[str, object], path: str, part: str
) -> None:
    assert part in plugin.refused(PASSWORD, inputs)[path]


def test_integers_stay_in_range(plugin: Plugin) -> None:
    assert {generators.integer({"min": 3, "max": 5})["result"] for _ in range(200)} == {3, 4, 5}
    seeded = {"min": 1, "max": 10**9, "seed": "x"}
    assert generators.integer(seeded) == generators.integer(seeded)
    assert "more than max" in plugin.refused(INTEGER, {"min": 2, "max": 1})["min"]


def test_imports(plugin: Plugin) -> None:
    id_, inputs, state = plugin.read(PASSWORD, "a-given-password")
    assert (id_, state["result"]) == ("none", Secret("a-given-password"))
    assert inputs["length"] == 16
    request = provider_pb2.DiffRequest(
        urn=urn(PASSWORD),
        id=id_,
        old_inputs=encode(inputs),
        news=encode({"length": 16}),
        olds=encode(state),
    )
    assert not plugin.stub.Diff(request).detailedDiff
    hexadecimal = plugin.read(ID, "p-,_-8")[2]
    assert hexadecimal["hex"] == "p-ffef"
    with pytest.raises(grpc.RpcError, match="can't be imported as RandomInteger"):
        plugin.read(INTEGER, "seven")


def test_unknown_type_names_the_known_ones(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError, match="does not implement random:index/randomShuffle"):
        plugin.check("random:index/randomShuffle:RandomShuffle", {})
