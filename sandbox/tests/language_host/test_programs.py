"""Programs as the real engine and our language host run them."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cloudcommerce_sandbox.language_host.packages import installed_plugins
from cloudcommerce_sandbox.workspace.home import write_launcher

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: fixture\nruntime: python\n")
    (folder / "helper.py").write_text("def broken():\n    raise ValueError('as intended')\n")
    return folder


@pytest.fixture
def run(directory: Path, tmp_path: Path, pulumi: Path) -> Run:
    """Run `pulumi ARGUMENTS` on a program's source."""
    launchers = tmp_path / "bin"
    write_launcher(launchers / "pulumi-language-python", "cloudcommerce_sandbox.language_host")
    (tmp_path / "state").mkdir()
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith("PULUMI_")},
        "PATH": f"{launchers}:{os.environ['PATH']}",
        "PULUMI_HOME": str(tmp_path / "home"),
        "PULUMI_BACKEND_URL": f"file://{tmp_path / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_STACK": "dev",
    }

    def command(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(pulumi), *arguments, "--non-interactive"],
            cwd=directory,
            env={**env, "PWD": str(directory)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def up(source: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        (directory / "__main__.py").write_text(source)
        return command("up", "--yes", "--skip-preview", *arguments)

    assert command("stack", "init", "dev").returncode == 0
    return up


def test_program_runs_where_it_lies_with_its_neighbors_and_its_output_is_shown(
    run: Run, directory: Path
) -> None:
    done = run(
        "import os, sys, helper, pulumi\n"
        "print('to standard output'); print('to standard error', file=sys.stderr)\n"
        "pulumi.export('where', os.getcwd())\n"
        "pulumi.export('name', __name__)\n"
        "pulumi.export('first', sys.path[0])\n"
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "to standard output" in done.stdout
    assert "to standard error" in done.stdout
    assert f'where: "{directory}"' in done.stdout
    assert 'name : "__main__"' in done.stdout
    assert f'first: "{directory}' in done.stdout


def test_second_run_starts_in_a_fresh_interpreter(run: Run, directory: Path) -> None:
    run("import helper\nprint(helper.broken)\n")
    (directory / "helper.py").write_text("VALUE = 'rewritten'\n")

    done = run("import helper, pulumi\npulumi.export('value', helper.VALUE)\n")

    assert 'value: "rewritten"' in done.stdout, done.stdout


def test_secret_configuration_arrives_decrypted_and_stays_secret(run: Run) -> None:
    done = run(
        "import pulumi\n"
        "config = pulumi.Config()\n"
        "pulumi.export('plain', config.require('plain'))\n"
        "pulumi.export('hidden', config.require_secret('plain'))\n",
        "-c",
        "plain=visible",
    )

    assert 'plain : "visible"' in done.stdout, done.stdout
    assert "hidden: [secret]" in done.stdout


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import helper\nhelper.broken()\n", "ValueError: as intended"),
        ("import no_such_module\n", "No module named 'no_such_module'"),
        ("def broken(:\n", "SyntaxError"),
        ("import pulumi\nraise pulumi.RunError('plain words')\n", "error: plain words"),
        ("import sys\nsys.exit(3)\n", "Program exited with non-zero exit code: 3"),
        ("import sys\nsys.exit('said and left')\n", "said and left"),
        ("import os\nos._exit(7)\n", "Program exited with non-zero exit code: 7"),
        ("import os\nos.kill(os.getpid(), 9)\n", "Program was ended by signal 9"),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt"),
        ("import pulumi\npulumi.Output.from_input(1).apply(lambda _: 1 / 0)\n", "ZeroDivisionError"),
    ],
)
def test_failing_program_is_reported_without_frames_of_ours(run: Run, source: str, expected: str) -> None:
    done = run(source)

    assert done.returncode != 0
    assert expected in done.stdout
    assert "language_host" not in done.stdout
    assert "runpy" not in done.stdout


def test_program_that_leaves_early_without_error_keeps_what_it_registered(run: Run) -> None:
    done = run(
        "import sys, pulumi\n"
        "pulumi.ComponentResource('fixture:index:Part', 'one').register_outputs({})\n"
        "sys.exit(0)\n"
    )

    assert done.returncode == 0, done.stdout
    assert "+ 2 created" in done.stdout


def test_missing_program_names_the_setting(run: Run, directory: Path) -> None:
    (directory / "Pulumi.yaml").write_text("name: fixture\nruntime: python\nmain: empty/\n")
    (directory / "empty").mkdir()

    done = run("")

    assert done.returncode != 0
    assert "__main__.py" in done.stdout
    assert "Pulumi.yaml" in done.stdout


def test_program_with_much_output_and_a_lingering_child_ends(run: Run) -> None:
    done = run(
        "import subprocess\n"
        "subprocess.Popen(['sleep', '30'])\n"  # it keeps the program's output open
        "print('x' * 3_000_000)\n"
    )

    assert done.returncode == 0, done.stderr


def test_policy_pack_refuses(run: Run, tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (pack / "__main__.py").write_text(
        "from pulumi_policy import EnforcementLevel, PolicyPack, StackValidationPolicy\n"
        "def refuse(args, report):\n"
        "    report(f'{len(args.resources)} resources are too many')\n"
        "PolicyPack('strict', [StackValidationPolicy('none', 'Allows nothing', refuse)],\n"
        "           enforcement_level=EnforcementLevel.MANDATORY)\n"
    )

    done = run("import pulumi\n", "--policy-pack", str(pack))

    assert done.returncode != 0
    assert "resources are too many" in done.stdout


def test_plugins_of_installed_sdks_are_known_by_name_and_version() -> None:
    plugins = {plugin.name: plugin for plugin in installed_plugins()}

    assert plugins["aws"].directory_name == f"resource-aws-v{plugins['aws'].version}"
    assert plugins["random"].executable_name == "pulumi-resource-random"
    assert json.dumps(plugins["aws"].version).count(".") == 2
