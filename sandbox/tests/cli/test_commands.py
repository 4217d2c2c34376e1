"""The commands as a user calls them."""

import json
import stat
import subprocess

import pytest
from cloudcommerce_sandbox.supervisor import running_emulator

from sandbox.tests.projects import Project

pytestmark = pytest.mark.mission_M70


def in_shell(project: Project, script: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        project.command("shell"),
        input=script,
        cwd=project.layout.checkout,
        env=project.environment(SHELL="/bin/bash", **variables),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_shell_reaches_the_sandbox_only_and_leaves_tracked_files(project: Project) -> None:
    tracked = {path: path.read_bytes() for path in project.layout.checkout.glob("Pulumi*.yaml")}

    done = in_shell(
        project,
        "aws sts get-caller-identity --query Account\n"
        "pulumi whoami --verbose\n"
        f"cd {project.layout.checkout}/infra\n"
        "pulumi config set greeting changed\n"
        "pulumi config get greeting\n"
        "pulumi up --yes --skip-preview | tail -4\n"
        "env\n"
        "exit 3\n",
        AWS_ENDPOINT_URL_S3="https://real.example",
    )

    assert done.returncode == 3
    assert '"123456789012"' in done.stdout
    assert f"file://{project.layout.state}" in done.stdout
    assert "changed" in done.stdout
    assert "3 created" in done.stdout
    assert "real" not in done.stdout
    assert {path: path.read_bytes() for path in project.layout.checkout.glob("Pulumi*.yaml")} == tracked


def test_setting_made_in_the_sandbox_is_named_and_tracked_change_arrives(project: Project) -> None:
    project.write_program("import pulumi\npulumi.export('got', pulumi.Config().require('greeting'))\n")
    in_shell(project, "pulumi config set mine here\n")
    (project.layout.checkout / "Pulumi.prod.yaml").write_text("config:\n  fixture:greeting: tracked\n")

    done = project.run("up")
    shown = in_shell(project, "pulumi stack output got\n")

    assert "fixture:mine" in done.stdout
    assert shown.stdout.splitlines()[-1] == "tracked"


def test_status_reports_and_changes_nothing(project: Project) -> None:
    done = project.run("status", "--json")

    document = json.loads(done.stdout)
    assert document["emulator"] is None
    assert document["deployed"] is False
    assert not project.layout.state.exists()


def test_preview_shows_the_engines_own_display(project: Project) -> None:
    done = project.run("preview")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "fixture:index:Part" in done.stdout
    assert "3 to create" in done.stdout


def test_reset_forgets_state_and_keeps_tools(project: Project) -> None:
    project.run("up")
    assert stat.S_IMODE(project.layout.passphrase.stat().st_mode) == 0o600

    refused = project.run("reset")
    done = project.run("reset", "--yes")

    assert refused.returncode == 1  # it asks, and nobody answers
    assert done.returncode == 0
    assert not project.layout.state.exists()
    assert (project.layout.tools / "pulumi").is_file()
    assert "3 created" in project.run("up").stdout


def test_doctor_is_content_with_a_sound_sandbox_and_finds_damage(project: Project) -> None:
    project.run("up")
    assert project.run("doctor").returncode == 0

    [state] = project.layout.state.glob(".pulumi/stacks/*/prod.json")
    state.write_text("{")
    done = project.run("doctor", "--json")

    assert done.returncode == 1
    [finding] = [finding for finding in json.loads(done.stdout) if not finding["well"]]
    assert finding["subject"] == "state"
    assert finding["remedy"]


def test_outside_a_project_the_error_says_where_to_run(project: Project) -> None:
    done = subprocess.run(
        project.command("status"), cwd="/", capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert "Pulumi.yaml" in done.stdout


def test_official_plugins_that_cannot_be_had_say_so(project: Project) -> None:
    # A proxy that nobody serves: the download fails the same way with and without internet.
    done = project.run("up", CLOUDCOMMERCE_PLUGINS="official", HTTPS_PROXY="http://127.0.0.1:1")

    assert done.returncode == 1
    assert "official aws plugin" in done.stdout
    assert "Plain `make up`" in done.stdout


def test_down_before_any_up_starts_nothing(project: Project) -> None:
    done = project.run("down", "--yes")

    assert done.returncode == 0
    assert "Nothing stands" in done.stdout
    assert running_emulator(project.layout) is None


def test_stack_without_a_file_is_refused_with_those_that_have_one(project: Project) -> None:
    done = project.run("up", "--stack", "staging")

    assert done.returncode == 1
    assert "Pulumi.staging.yaml" in done.stdout
    assert "stacks are: prod" in done.stdout
    assert not project.layout.state.exists()


def test_output_of_exec_is_the_commands_alone(project: Project) -> None:
    done = project.run("exec", "--", "sh", "-c", 'echo "$HOME"', HOME="/home/of/somebody")

    assert done.stdout == "/home/of/somebody\n"
    assert "emulator" in done.stderr


def test_it_works_without_a_home(project: Project) -> None:
    environment = project.environment()
    del environment["HOME"]

    done = subprocess.run(
        project.command("exec", "--", "sh", "-c", 'cd "$HOME" && echo "${PYTHONDONTWRITEBYTECODE-unset}"'),
        cwd=project.layout.checkout,
        env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, "unset\n"), done.stderr
