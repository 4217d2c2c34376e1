"""`up` on the real engine, from nothing to trouble."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cloudcommerce_sandbox.engine import state
from cloudcommerce_sandbox.supervisor import running_emulator

from sandbox.tests.projects import Project

pytestmark = pytest.mark.mission_M70

SLOW = """
import time
import pulumi
print("begun", flush=True)
time.sleep(60)
"""


def test_second_up_changes_nothing_and_says_so_and_tracked_files_stay(project: Project) -> None:
    tracked = {path: path.read_bytes() for path in project.layout.checkout.glob("Pulumi*.yaml")}

    first = project.run("up")
    second = project.run("up")

    assert first.returncode == 0, first.stdout
    assert "3 created" in first.stdout
    assert second.returncode == 0, second.stdout
    assert "Nothing to change" in second.stdout
    assert "3 unchanged" in second.stdout
    assert {path: path.read_bytes() for path in project.layout.checkout.glob("Pulumi*.yaml")} == tracked


def test_program_error_is_shown_with_the_users_frames_and_exit_code(project: Project) -> None:
    project.write_program("def broken():\n    raise ValueError('as intended')\n\nbroken()\n")

    done = project.run("up")

    assert done.returncode == 1
    assert "ValueError: as intended" in done.stdout
    assert "in broken" in done.stdout
    assert "language_host" not in done.stdout
    assert "log: " in done.stdout


def test_emulator_that_was_restarted_starts_the_stack_from_nothing(project: Project) -> None:
    project.run("up")
    before = running_emulator(project.layout)
    assert before is not None
    os.kill(before.pid, signal.SIGKILL)

    done = project.run("up")

    after = running_emulator(project.layout)
    assert after is not None
    assert after.incarnation != before.incarnation
    assert after.url == before.url  # an open shell keeps working
    assert "has been restarted" in done.stdout
    assert "3 created" in done.stdout
    assert len(list(project.layout.archive.iterdir())) == 1


def test_emulator_that_ends_during_the_run_is_the_one_failure_told(project: Project) -> None:
    project.write_program(
        "import time\nprint('begun', flush=True)\ntime.sleep(3)\nraise ValueError('symptom')\n"
    )
    with project.start("up") as child:
        wait_for(child, "begun")
        emulator = running_emulator(project.layout)
        assert emulator is not None
        os.kill(emulator.pid, signal.SIGKILL)
        output, _ = child.communicate(timeout=60)

    assert child.returncode == 1
    assert "ended during the run" in output
    assert "symptom" not in output


def test_second_up_at_the_same_time_is_refused(project: Project) -> None:
    project.write_program(SLOW)
    with project.start("up") as first:
        wait_for(first, "begun")
        second, stop = project.run("up"), project.run("stop")
        aside = project.run("exec", "--", "true")
        first.send_signal(signal.SIGINT)
        output, _ = first.communicate(timeout=60)

    assert second.returncode == 1
    assert "already working here" in second.stdout
    assert stop.returncode == 1
    assert "already working here" in stop.stdout
    assert aside.returncode == 1
    assert "Waiting up to 10 s for `cloudcommerce-sandbox up`" in aside.stderr
    for said in (second.stdout, stop.stdout, aside.stdout):
        assert re.search(r"`cloudcommerce-sandbox up` \(process \d+, since \d\d:\d\d:\d\d\)", said)
        assert "end it" not in said
    assert first.returncode == 130, output


def test_command_waits_for_another_that_is_about_to_end(project: Project) -> None:
    project.write_program("import time\nprint('begun', flush=True)\ntime.sleep(2)\n")
    with project.start("up") as first:
        wait_for(first, "begun")
        aside = project.run("exec", "--", "echo", "done")
        output, _ = first.communicate(timeout=60)

    assert (aside.returncode, aside.stdout) == (0, "done\n"), aside.stderr
    assert first.returncode == 0, output


def test_interrupt_stops_the_engine_and_leaves_no_lock(project: Project) -> None:
    project.write_program(SLOW)
    begun = time.monotonic()
    with project.start("up") as child:
        wait_for(child, "begun")
        child.send_signal(signal.SIGINT)
        output, _ = child.communicate(timeout=60)

    assert child.returncode == 130, output
    assert "Stopped as you asked" in output
    assert time.monotonic() - begun < 45
    assert state.engine_locks(project.layout, "fixture", "prod") == []
    assert programs_of(project) == []


def test_lock_of_a_killed_engine_is_removed(project: Project) -> None:
    project.write_program(SLOW)
    with project.start("up") as child:
        wait_for(child, "begun")
        [lock] = state.engine_locks(project.layout, "fixture", "prod")
        assert not lock.stale
        os.kill(lock.pid, signal.SIGKILL)
        output, _ = child.communicate(timeout=60)
    assert child.returncode == 1, output
    project.write_program("import pulumi\n")

    done = project.run("up")

    assert done.returncode == 0, done.stdout
    assert "Removed the lock" in done.stdout


def test_running_engine_whose_command_was_killed_is_named(project: Project) -> None:
    project.write_program(SLOW)
    with project.start("up") as child:
        wait_for(child, "begun")
        child.kill()
    [lock] = state.engine_locks(project.layout, "fixture", "prod")

    done = project.run("up")
    os.kill(lock.pid, signal.SIGINT)

    assert done.returncode == 1
    assert f"kill -INT {lock.pid}" in done.stdout


def test_wrong_plugin_choice_says_what_it_takes(project: Project) -> None:
    done = project.run("up", CLOUDCOMMERCE_PLUGINS="both")

    assert done.returncode == 1
    assert "'both'" in done.stdout
    assert "official" in done.stdout


def wait_for(child: "subprocess.Popen[str]", text: str) -> None:
    assert child.stdout is not None
    for line in child.stdout:
        if text in line:
            return
    pytest.fail(f"ended without saying {text!r}")


def programs_of(project: Project) -> list[str]:
    """Command lines of programs that still run for this project."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(entry.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return [line for line in lines if str(project.layout.root) in line and "language_host" in line]
