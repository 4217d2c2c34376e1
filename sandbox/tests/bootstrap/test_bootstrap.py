"""The script that makes `.venv`: its stamp, and what it refuses."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "bootstrap.py"


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, set on a checkout of its own, with every command recorded instead of run."""
    spec = importlib.util.spec_from_file_location("bootstrap_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "sandbox").mkdir()
    for name in ("requirements-dev.txt", "pyproject.toml", "sandbox/pyproject.toml", "sandbox/installer.txt"):
        (tmp_path / name).write_text("")
    venv = tmp_path / ".venv"
    commands: list[list[str]] = []

    def run(command: list[str], env: dict[str, str] | None = None) -> None:
        del env
        commands.append(command)
        if "venv" in command:
            (venv / "bin").mkdir(parents=True, exist_ok=True)
            (venv / "bin" / "python").symlink_to(sys.executable)
            (venv / "pyvenv.cfg").write_text("version = {}.{}.{}\n".format(*sys.version_info[:3]))

    replaced = {
        "CHECKOUT": tmp_path,
        "VENV": venv,
        "STAMP": venv / "stamp",
        "INSTALLER": tmp_path / "sandbox" / "installer.txt",
        "LOCK": tmp_path / "requirements-dev.txt",
        "DISTRIBUTIONS": (tmp_path, tmp_path / "sandbox"),
        "run": run,
        "uv_environment": dict,
        "commands": commands,
    }
    for name, value in replaced.items():
        monkeypatch.setattr(module, name, value, raising=False)
    return module


def test_second_run_does_nothing_and_prints_nothing(
    bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bootstrap.main() == 0
    assert bootstrap.commands[0][-1].endswith(".venv")
    capsys.readouterr()
    bootstrap.commands.clear()

    assert bootstrap.main() == 0
    assert bootstrap.commands == []
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "change", ["requirements-dev.txt", "sandbox/pyproject.toml", "sandbox/installer.txt"]
)
def test_changed_input_installs_again_in_the_same_venv(bootstrap: ModuleType, change: str) -> None:
    bootstrap.main()
    bootstrap.commands.clear()
    (bootstrap.CHECKOUT / change).write_text("changed")

    bootstrap.main()

    assert any("sync" in command for command in bootstrap.commands)
    assert not any("venv" in command for command in bootstrap.commands)


def test_run_that_was_cut_off_is_repeated(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(*_: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(bootstrap, "uv", cut_off)
        with pytest.raises(KeyboardInterrupt):
            bootstrap.main()
    assert not bootstrap.STAMP.exists()

    bootstrap.main()

    assert bootstrap.STAMP.is_file()


def test_venv_of_another_python_is_made_anew(bootstrap: ModuleType) -> None:
    bootstrap.main()
    (bootstrap.VENV / "pyvenv.cfg").write_text("version = 3.8.1\n")
    (bootstrap.VENV / "bin" / "python").unlink()
    bootstrap.commands.clear()

    bootstrap.main()

    assert any("--clear" in command for command in bootstrap.commands)


@pytest.mark.parametrize(
    ("broken", "expected"),
    [("venv", "apt install python3-venv"), ("disk", "GiB free"), ("python", "or newer is needed")],
)
def test_machine_that_lacks_something_is_told_what(
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    broken: str,
    expected: str,
) -> None:
    if broken == "venv":
        monkeypatch.setattr(bootstrap.importlib.util, "find_spec", lambda _: None)
    elif broken == "disk":
        monkeypatch.setattr(bootstrap, "DISK_NEEDED_GIB", 1e9)
    else:
        monkeypatch.setattr(bootstrap, "OLDEST_PYTHON", (9, 0))
        monkeypatch.setattr(bootstrap, "NEWER_PYTHONS", ())

    with pytest.raises(SystemExit):
        bootstrap.main()

    assert expected in capsys.readouterr().err
    assert not bootstrap.STAMP.exists()
