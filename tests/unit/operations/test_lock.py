"""Locks and checkpoints of updates that died."""

import json
import os
import socket
import threading
from pathlib import Path

import pytest

from operations.errors import OperationError, StateError
from operations.interaction import Interaction
from operations.recovery.lock import free_the_stack, holder_is_dead, read_state
from operations.state import Deployment, parse_deployment
from tests.unit.operations.stack_on_disk import FakePulumi, fake, state

QUIET = Interaction(as_json=True)
DEAD_PID = 2**22 - 1


def message(pid: int, host: str | None = None) -> str:
    return f"file:///x.json: created by me@{host or socket.gethostname()} (pid {pid}) at 2026-11-23T22:23:27Z"


def test_a_holder_is_dead_alive_or_unknown() -> None:
    assert holder_is_dead(message(DEAD_PID)) is True
    assert holder_is_dead(message(os.getpid())) is False
    assert holder_is_dead(message(DEAD_PID, "elsewhere")) is None
    assert holder_is_dead("the stack is locked by update 7") is None
    assert holder_is_dead(message(DEAD_PID) + message(os.getpid())) is False, "one that lives is enough"


def test_the_lock_of_a_dead_update_is_removed(tmp_path: Path) -> None:
    pulumi = fake(state(), tmp_path, locked=message(DEAD_PID))
    assert free_the_stack(pulumi, QUIET, break_lock=False) is True
    assert pulumi.asked == ["cancel"]
    assert free_the_stack(pulumi, QUIET, break_lock=False) is False


def test_a_running_update_is_never_cut_off_even_on_request(tmp_path: Path) -> None:
    pulumi = fake(state(), tmp_path, locked=message(os.getpid()))
    with pytest.raises(OperationError, match="is running"):
        free_the_stack(pulumi, QUIET, break_lock=True)
    assert pulumi.asked == []


def test_a_lock_from_elsewhere_is_removed_only_when_someone_vouches(tmp_path: Path) -> None:
    pulumi = fake(state(), tmp_path, locked=message(1, "elsewhere"))
    with pytest.raises(OperationError, match="--break-lock"):
        free_the_stack(pulumi, QUIET, break_lock=False)
    assert free_the_stack(pulumi, QUIET, break_lock=True)


class OnDisk(FakePulumi):
    """A file backend: what Pulumi reads is the checkpoint, and empty attributes stop it."""

    def export_state(self) -> Deployment:
        folder = self.directory / ".pulumi" / "stacks" / "shop"
        attributes = folder / "prod.json.attrs"
        if attributes.is_file() and not attributes.read_text():
            raise OperationError("failed to load checkpoint: EOF")
        if not (folder / "prod.json").is_file():
            raise OperationError("no stack named 'prod' found")
        return parse_deployment((folder / "prod.json").read_text())


@pytest.fixture
def backend(tmp_path: Path) -> Path:
    folder = tmp_path / ".pulumi" / "stacks" / "shop"
    folder.mkdir(parents=True)
    (tmp_path / "Pulumi.yaml").write_text("name: shop\n")
    (folder / "prod.json").write_text(state().text())
    (folder / "prod.json.bak").write_text(state().text())
    return folder


def test_a_checkpoint_whose_attributes_were_cut_off_is_mended(backend: Path, tmp_path: Path) -> None:
    (backend / "prod.json.attrs").touch()
    assert len(read_state(OnDisk("prod", tmp_path), QUIET).resources) == 3
    assert not (backend / "prod.json.attrs").exists()


@pytest.mark.parametrize("remains", ["nothing", "an empty file"])
def test_a_checkpoint_that_was_moved_away_and_not_written_again_is_restored(
    backend: Path, tmp_path: Path, remains: str
) -> None:
    (backend / "prod.json").unlink()
    if remains == "an empty file":
        (backend / "prod.json").touch()
        (backend / "prod.json.attrs").touch()
    assert len(read_state(OnDisk("prod", tmp_path), QUIET).resources) == 3


def test_what_cannot_be_mended_is_reported_as_it_is(backend: Path, tmp_path: Path) -> None:
    (backend / "prod.json").write_text('{"version": 99, "deployment": {}}')
    with pytest.raises(StateError, match="version 99"):
        read_state(OnDisk("prod", tmp_path), QUIET)


def lock_file(tmp_path: Path, pid: int, host: str | None = None) -> Path:
    folder = tmp_path / ".pulumi" / "locks" / "organization" / "shop" / "prod"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "0b8f.json"
    path.write_text(json.dumps({"pid": pid, "username": "me", "hostname": host or socket.gethostname()}))
    return path


def test_a_checkpoint_that_a_live_engine_is_writing_is_waited_for_and_never_touched(
    backend: Path, tmp_path: Path
) -> None:
    lock_file(tmp_path, os.getpid())
    (backend / "prod.json").unlink()
    (backend / "prod.json.attrs").touch()
    with pytest.raises(OperationError, match="an update holds the stack"):
        read_state(OnDisk("prod", tmp_path), QUIET, break_lock=True, patience=0.05, pause=0.01)
    assert (backend / "prod.json.attrs").exists()
    assert not (backend / "prod.json").exists()


def test_what_a_live_engine_has_written_meanwhile_is_read(backend: Path, tmp_path: Path) -> None:
    lock_file(tmp_path, os.getpid())
    (backend / "prod.json.attrs").touch()
    writer = threading.Timer(0.1, (backend / "prod.json.attrs").write_text, ["{}"])
    writer.start()
    assert len(read_state(OnDisk("prod", tmp_path), QUIET, pause=0.02).resources) == 3
    writer.join()


@pytest.mark.parametrize(("pid", "host", "break_lock"), [(DEAD_PID, None, False), (1, "elsewhere", True)])
def test_the_lock_of_a_dead_engine_does_not_keep_its_checkpoint_from_being_mended(
    backend: Path, tmp_path: Path, pid: int, host: str | None, break_lock: bool
) -> None:
    path = lock_file(tmp_path, pid, host)
    (backend / "prod.json.attrs").touch()
    assert read_state(OnDisk("prod", tmp_path), QUIET, break_lock=break_lock, patience=0).resources
    assert path.exists(), "removing the lock is another step's business"


@pytest.mark.parametrize("content", ["", '{"pid": 1, "hostname": "elsewhere"}'])
def test_a_lock_that_nobody_can_judge_counts_as_held(backend: Path, tmp_path: Path, content: str) -> None:
    lock_file(tmp_path, 1).write_text(content)
    (backend / "prod.json.attrs").touch()
    with pytest.raises(OperationError, match="--break-lock"):
        read_state(OnDisk("prod", tmp_path), QUIET, patience=0)
    assert (backend / "prod.json.attrs").exists()
