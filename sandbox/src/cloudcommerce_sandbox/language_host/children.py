"""The interpreters that a language host has running."""

import queue
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Literal

_GRACE_SECONDS = 5.0

Chunk = tuple[Literal["stdout", "stderr"], bytes]


class Children:
    """Starts child processes and ends those that are left when the host ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()

    def start(
        self, command: Sequence[str], *, cwd: str | Path, env: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start a child with piped standard output and error.

        Args:
            command: The program and its arguments.
            cwd: The child's working directory.
            env: The child's whole environment.

        Returns:
            The started process.

        Raises:
            OSError: The program can't be started.
        """
        child = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with self._lock:
            self._running.add(child)
        return child

    def output(self, child: subprocess.Popen[bytes]) -> Iterator[Chunk]:
        """Yield what `child` writes, as it writes it, until it has ended.

        A grandchild that keeps the pipes open does not hold this up: once the child has ended, only what is
        already there is still read.

        Args:
            child: A process from `start`.

        Yields:
            The stream's name with some bytes of it.
        """
        chunks: queue.Queue[Chunk | None] = queue.Queue()
        readers = [
            threading.Thread(target=_pump, args=(stream, name, chunks), daemon=True)
            for name, stream in (("stdout", child.stdout), ("stderr", child.stderr))
        ]
        for reader in readers:
            reader.start()

        def finish() -> None:
            child.wait()
            for reader in readers:
                reader.join(timeout=1.0)
            chunks.put(None)

        threading.Thread(target=finish, daemon=True).start()
        while (chunk := chunks.get()) is not None:
            yield chunk
        with self._lock:
            self._running.discard(child)

    def end(self, child: subprocess.Popen[bytes]) -> None:
        """Ask `child` to end, and insist after a few seconds.

        Args:
            child: A process from `start`; one that has ended already is left alone.
        """
        if child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()

    def end_all(self) -> None:
        """End every child that still runs."""
        with self._lock:
            running = list(self._running)
        for child in running:
            self.end(child)


def _pump(stream: IO[bytes], name: Literal["stdout", "stderr"], chunks: "queue.Queue[Chunk | None]") -> None:
    while data := stream.read1(65536):  # type: ignore[attr-defined]  # Popen's pipes are buffered readers
        chunks.put((name, data))
