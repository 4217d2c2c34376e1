"""Finding and building tools, with a small Go module in place of a large one."""

import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cloudcommerce_sandbox.console import Steps
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.tools import catalogue, resolve
from cloudcommerce_sandbox.tools import store as stores
from cloudcommerce_sandbox.tools.catalogue import CATALOGUE, SHOP, GoTool
from cloudcommerce_sandbox.tools.go import Go
from cloudcommerce_sandbox.tools.probe import version_of
from cloudcommerce_sandbox.tools.store import ToolStore, key_of

MAIN = """
package main

var version = "unset"

func main() { println("greeter", version) }
"""


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GoTool:
    monkeypatch.setattr(catalogue, "MODULES", tmp_path / "modules")
    module = tmp_path / "modules" / "greeter"
    module.mkdir(parents=True)
    (module / "go.mod").write_text("module example.com/greeter\n\ngo 1.21\n")
    (module / "go.sum").write_text("")
    (module / "main.go").write_text(MAIN)
    return GoTool(
        name="greeter",
        version="1.2.3",
        module="greeter",
        package="example.com/greeter",
        version_command=(),
        from_path=((1, 2), (2,)),
        linker_flags=("-X main.version=v1.2.3",),
    )


@pytest.fixture
def store(tmp_path: Path) -> ToolStore:
    return ToolStore(tmp_path / "sandbox" / "bin")


def ensure(tool: GoTool, store: ToolStore) -> Path:
    with Steps() as steps:
        return resolve.ensure_tools(store, store.directory.parent / "logs", steps, [tool])[tool.name]


def put_on_path(
    tool: GoTool, folder: Path, prints: str, monkeypatch: pytest.MonkeyPatch, *, code: int = 0
) -> Path:
    folder.mkdir()
    executable = folder / tool.name
    executable.write_text(f"#!/bin/sh\necho '{prints}'\nexit {code}\n")
    executable.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return executable


def test_missing_tool_is_built_once(tool: GoTool, store: ToolStore) -> None:
    built = ensure(tool, store)
    first = built.stat().st_mtime_ns

    assert version_of(built, tool) == "1.2.3"
    assert ensure(tool, store) == built
    assert built.stat().st_mtime_ns == first
    assert "go build" in (store.directory.parent / "logs" / "build-greeter.log").read_text()


@pytest.mark.parametrize(
    ("prints", "taken"),
    [("v1.2.0", True), ("v1.9.9", True), ("v2.0.0", False), ("v1.1.9", False), ("no", False)],
)
def test_tool_on_path_is_taken_when_its_version_fits(
    tool: GoTool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prints: str, taken: bool
) -> None:
    found = put_on_path(tool, tmp_path / "path", prints, monkeypatch)

    assert (resolve.on_path(tool, tmp_path / "bin") == found) is taken
    assert resolve.on_path(tool, found.parent) is None  # never one of our own folder


def test_tool_on_path_that_fails_or_lacks_a_companion_is_not_taken(
    tool: GoTool, store: ToolStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_on_path(tool, tmp_path / "lonely", "v1.2.3", monkeypatch)
    assert resolve.on_path(replace(tool, companions=("friend",)), store.directory) is None

    put_on_path(tool, tmp_path / "broken", "v1.2.3", monkeypatch, code=1)
    assert resolve.on_path(tool, store.directory) is None


def test_change_of_the_pinned_module_builds_anew(tool: GoTool, store: ToolStore) -> None:
    ensure(tool, store)
    (tool.directory / "go.sum").write_text("\n")

    assert not store.is_current(tool)
    ensure(tool, store)
    assert store.is_current(tool)


@pytest.mark.parametrize("damage", [b"", b"x" * 100, None])
def test_damaged_executable_is_built_anew(tool: GoTool, store: ToolStore, damage: bytes | None) -> None:
    built = ensure(tool, store)
    content = built.read_bytes()
    # None: the same size, one byte changed.
    built.write_bytes(content[:-1] + bytes([content[-1] ^ 0xFF]) if damage is None else damage)

    assert not store.is_current(tool)
    assert version_of(ensure(tool, store), tool) == "1.2.3"


@pytest.mark.parametrize("stamp", ["", "{", "[]", "{}", '{"key": 1}', "\0"])
def test_damaged_stamp_is_no_proof(tool: GoTool, store: ToolStore, stamp: str) -> None:
    ensure(tool, store)
    (store.directory / ".greeter.json").write_text(stamp)

    assert not store.is_current(tool)
    ensure(tool, store)
    assert store.is_current(tool)


def test_copied_executable_is_current_by_its_content(tool: GoTool, store: ToolStore) -> None:
    os.utime(ensure(tool, store), (1, 1))

    assert store.is_current(tool)


def test_build_of_another_version_is_not_installed(tool: GoTool, store: ToolStore) -> None:
    wrong = replace(tool, version="9.9.9")

    with pytest.raises(SandboxError, match=r"says it is version 1\.2\.3, not 9\.9\.9"):
        ensure(wrong, store)

    assert not store.path(tool).exists()


def test_failed_build_names_its_log_and_leaves_nothing(tool: GoTool, store: ToolStore) -> None:
    (tool.directory / "main.go").write_text("package main\nfunc main() { nonsense }\n")

    with pytest.raises(SandboxError, match=r"build-greeter\.log"):
        ensure(tool, store)

    assert list(store.directory.iterdir()) == []


def test_killed_build_leaves_nothing_that_counts(tool: GoTool, store: ToolStore, tmp_path: Path) -> None:
    go = tmp_path / "go" / "go"
    go.parent.mkdir()
    real = subprocess.run(["which", "go"], capture_output=True, text=True, check=True).stdout.strip()
    go.write_text(f'#!/bin/sh\n[ "$1" = env ] && exec {real} "$@"\nexec sleep 60\n')
    go.chmod(0o755)
    script = textwrap.dedent(f"""
        import sys
        from pathlib import Path
        from cloudcommerce_sandbox.console import Steps
        from cloudcommerce_sandbox.tools import catalogue, resolve
        from cloudcommerce_sandbox.tools.store import ToolStore
        catalogue.MODULES = Path({str(catalogue.MODULES)!r})
        with Steps() as steps:
            resolve.ensure_tools(
                ToolStore(Path({str(store.directory)!r})), Path({str(tmp_path / "logs")!r}), steps,
                [catalogue.GoTool(**{vars(tool)!r})])
    """)
    env = {**os.environ, "PATH": f"{go.parent}:{os.environ['PATH']}"}
    child = subprocess.Popen([sys.executable, "-c", script], env=env, start_new_session=True)
    deadline = time.monotonic() + 30
    while not list(store.directory.glob(".build-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(store.directory.glob(".build-*"))
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()

    assert not store.is_current(tool)
    assert version_of(ensure(tool, store), tool) == "1.2.3"
    assert list(store.directory.glob(".build-*")) == []


def test_two_at_once_build_once(tool: GoTool, store: ToolStore) -> None:
    pid = os.fork()
    if pid == 0:
        ensure(tool, store)
        os._exit(0)
    built = ensure(tool, store)
    _, status = os.waitpid(pid, 0)

    assert status == 0
    assert version_of(built, tool) == "1.2.3"
    assert store.is_current(tool)


def test_missing_go_says_where_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(SandboxError, match=r"none on PATH") as raised:
        Go.find("1.26")
    assert "https://go.dev/doc/install" in raised.value.remedy


@pytest.mark.parametrize(
    ("version", "toolchain", "fits"),
    [
        ("go1.19", "auto", False),
        ("go1.25.1", "local", False),
        ("go1.25.1", "auto", True),
        ("go1.26rc1", "local", True),
        ("go1.27", "local", True),
    ],
)
def test_go_that_is_too_old_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, toolchain: str, fits: bool
) -> None:
    go = tmp_path / "go"
    go.write_text(f"""#!/bin/sh\necho '{{"GOVERSION": "{version}", "GOTOOLCHAIN": "{toolchain}"}}'\n""")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    if fits:
        assert Go.find("1.26").version == version
    else:
        with pytest.raises(SandboxError, match=version):
            Go.find("1.26")


def test_full_disk_is_told_before_the_build(
    tool: GoTool, store: ToolStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stores, "DISK_NEEDED_GIB", 1e9)

    with pytest.raises(SandboxError, match="GiB free"):
        ensure(tool, store)


@pytest.mark.parametrize("entry", [*CATALOGUE, *SHOP], ids=lambda entry: entry.name)
def test_catalogue_agrees_with_the_pinned_modules(entry: GoTool) -> None:
    module = (entry.directory / "go.mod").read_text()

    assert f" v{entry.version}" in module
    assert re.search(rf"^(tool |\t){re.escape(entry.package)}$", module, re.MULTILINE)
    assert all(
        other.linker_flags == entry.linker_flags for other in CATALOGUE if other.module == entry.module
    )
    assert len(key_of(entry)) == 64
