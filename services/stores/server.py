"""What every store is once it was launched."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.stores.process import Supervised


@dataclass(frozen=True)
class Server:
    """A store that was launched.

    Attributes:
        url: Where its all-powerful user logs in.
        port: On the loopback interface.
        processes: The server, and after it what it needs to run.
        ready: Whether it serves.
    """

    url: str
    port: int
    processes: Sequence[Supervised]
    ready: Callable[[], bool]

    @property
    def log(self) -> Path:
        """What the server prints."""
        return self.processes[0].log

    def wait_until_ready(self, timeout: float = 90.0) -> None:
        """Wait until it serves; stops it when it never does.

        Args:
            timeout: Seconds.

        Raises:
            ShopError: It ended or took too long; with the end of its log.
        """
        try:
            self.processes[0].wait_until(self.ready, timeout)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it, and remove what it has stored."""
        for process in self.processes:
            process.stop()
