"""A secret value is where it has to be and nowhere else."""

import base64
from pathlib import Path

import pytest

from tests.sandbox.cluster.standing import StackBench, Standing

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.mission_M36, pytest.mark.mission_M70]

PASSWORD = "correct-horse-battery-staple"
PROGRAM = f"""
k8s.core.v1.Secret(
    "login",
    metadata=meta("login"),
    string_data={{"password": pulumi.Output.secret({PASSWORD!r})}},
    opts=options(),
)
"""


def test_a_secret_value_is_printed_and_kept_nowhere(standing: Standing, objects: StackBench) -> None:
    objects.program(PROGRAM)
    engine, stack = objects.session.engine, ("--stack", objects.stack)

    printed = engine.capture("preview", "--diff", *stack).stdout
    objects.must_up("--diff")
    objects.program(PROGRAM.replace('"password"', '"word"'))
    printed += engine.capture("preview", "--diff", *stack).stdout
    objects.must_up("--refresh")
    printed += engine.capture("stack", "export", *stack).stdout

    live = standing.read("secret", "login", "-n", objects.stack)["data"]
    assert base64.b64decode(live["word"]).decode() == PASSWORD
    assert "login" in printed
    forms = [PASSWORD, base64.b64encode(PASSWORD.encode()).decode()]
    assert [form for form in forms if form in printed] == []
    kept = [
        path
        for path in _files(objects.layout.root)
        if any(form.encode() in path.read_bytes() for form in forms)
    ]
    assert kept == [], "in state, in logs or in the store of the cluster"


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.parent.name != "bin"
    ]
