"""Where things are."""

import os
from dataclasses import dataclass
from pathlib import Path

from cloudcommerce_sandbox.errors import SandboxError

PROJECT_FILE = "Pulumi.yaml"
FOLDER = ".sandbox"

# Set in the sandbox's shell, where the current directory is not the checkout.
CHECKOUT_VARIABLE = "CLOUDCOMMERCE_SANDBOX_CHECKOUT"


@dataclass(frozen=True)
class Layout:
    """The paths of one checkout's sandbox.

    Attributes:
        checkout: The folder of the project's `Pulumi.yaml`.
    """

    checkout: Path

    @classmethod
    def find(cls, start: Path | None = None) -> "Layout":
        """Find the checkout that a directory belongs to.

        Args:
            start: The directory; by default the current one.

        Returns:
            The layout of the nearest project above it.

        Raises:
            SandboxError: There is no project.
        """
        if start is None and (named := os.environ.get(CHECKOUT_VARIABLE)):
            return cls(Path(named))
        begin = (start or Path.cwd()).resolve()
        for folder in (begin, *begin.parents):
            if (folder / PROJECT_FILE).is_file() and FOLDER not in folder.parts:
                return cls(folder)
        raise SandboxError(
            f"Neither {begin} nor a folder above it has a {PROJECT_FILE}.",
            "Run this in the checkout of a Pulumi project.",
        )

    @property
    def root(self) -> Path:
        """The folder that holds all else."""
        return self.checkout / FOLDER

    @property
    def tools(self) -> Path:
        """Built tools and the language host; first on the sandbox's PATH."""
        return self.root / "bin"

    @property
    def state(self) -> Path:
        """The file backend: what the engine believes to stand in the emulator."""
        return self.root / "state"

    @property
    def archive(self) -> Path:
        """State whose emulator is gone."""
        return self.root / "archive"

    @property
    def project(self) -> Path:
        """The sandbox's view of the project, where the engine runs."""
        return self.root / "project"

    @property
    def passphrase(self) -> Path:
        """The passphrase file of the sandbox's secrets provider."""
        return self.root / "passphrase"

    @property
    def logs(self) -> Path:
        """Logs of builds, of the emulator, of its follower and of the engine."""
        return self.root / "logs"

    @property
    def emulator(self) -> Path:
        """What is known of the emulator's process."""
        return self.root / "emulator.json"

    @property
    def emulator_port(self) -> Path:
        """The port that the emulator had the last time; it survives a stop."""
        return self.root / "emulator.port"

    @property
    def kubernetes(self) -> Path:
        """A folder for each cluster, and what all have in common."""
        return self.root / "kubernetes"

    @property
    def follower(self) -> Path:
        """What is known of the process that follows the emulator's EKS."""
        return self.root / "kubernetes.json"

    @property
    def kubeconfig(self) -> Path:
        """How all of the sandbox's clusters are reached; it chooses none of them."""
        return self.root / "kubeconfig"

    @property
    def contexts(self) -> Path:
        """Which cluster each stack's commands talk to."""
        return self.root / "kubeconfigs"

    def context(self, stack: str) -> Path:
        """Return the kubeconfig that chooses a stack's cluster.

        Args:
            stack: The stack.
        """
        return self.contexts / f"{stack}.yaml"

    def home(self, plugins: str) -> Path:
        """Return the `PULUMI_HOME` for a choice of plugins; one must not see the other's.

        Args:
            plugins: `sandbox` or `official`.
        """
        return self.root / f"pulumi-{plugins}"

    def lock(self, name: str) -> Path:
        """Return the path of a lock.

        Args:
            name: What it protects.
        """
        return self.root / "locks" / f"{name}.lock"
