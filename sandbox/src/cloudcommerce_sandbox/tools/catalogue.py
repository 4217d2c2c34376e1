"""What tools there are: one entry a tool, each pinned by a Go module under `sandbox/tools/`."""

from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).resolve().parents[3] / "tools"

Version = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class GoTool:
    """A command that Go builds from a pinned module.

    Attributes:
        name: The executable's name.
        version: The version that the module pins and `version_command` must print.
        module: The folder under `sandbox/tools/` with its `go.mod` and `go.sum`.
        package: The Go package of the command.
        version_command: Arguments that make it print its version.
        oldest_on_path: The oldest version that is taken from PATH instead of a build.
        below_on_path: The first version, above it, that is not.
        linker_flags: Flags for Go's linker, such as the version to stamp.
        companions: Executables that must lie beside one on PATH, else it is not taken.
    """

    name: str
    version: str
    module: str
    package: str
    version_command: tuple[str, ...]
    oldest_on_path: Version
    below_on_path: Version
    linker_flags: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()

    @property
    def directory(self) -> Path:
        """The folder of its Go module."""
        return MODULES / self.module


# The language host is a program of its own that only Pulumi's release archives bring. A command line without
# one beside it would use ours, and warn at each run that it is not the one it expected.
PULUMI = GoTool(
    name="pulumi",
    version="3.250.0",
    module="pulumi",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    version_command=("version",),
    oldest_on_path=(3, 250, 0),
    below_on_path=(4,),
    linker_flags=(
        "-s",
        "-w",
        "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.250.0",
    ),
    companions=("pulumi-language-python",),
)

CATALOGUE: tuple[GoTool, ...] = (PULUMI,)
