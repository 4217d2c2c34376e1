"""What tools there are: one entry a command, each pinned by a Go module under `sandbox/tools/`."""

import re
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
        module: The folder under `sandbox/tools/` with its `go.mod` and `go.sum`; one may bring several
            commands.
        package: The Go package of the command, by its full path.
        version_command: Arguments that make it print its version.
        from_path: The oldest version that is taken from PATH instead of a build, and the first above it
            that is not; None takes none.
        linker_flags: Flags for Go's linker, such as the version to stamp; the same for all of a module.
        companions: Executables that must lie beside one on PATH, else it is not taken.
    """

    name: str
    version: str
    module: str
    package: str
    version_command: tuple[str, ...] = ("--version",)
    from_path: tuple[Version, Version] | None = None
    linker_flags: tuple[str, ...] = ()
    companions: tuple[str, ...] = ()

    @property
    def directory(self) -> Path:
        """The folder of its Go module."""
        return MODULES / self.module

    @property
    def built_name(self) -> str:
        """The name that `go build` gives the executable: the package's last part that is no major version."""
        parts = [part for part in self.package.split("/") if not re.fullmatch(r"v\d+", part)]
        return parts[-1]


# The language host is a program of its own that only Pulumi's release archives bring. A command line without
# one beside it would use ours, and warn at each run that it is not the one it expected.
PULUMI = GoTool(
    name="pulumi",
    version="3.250.0",
    module="pulumi",
    package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
    version_command=("version",),
    from_path=((3, 250, 0), (4,)),
    linker_flags=(
        "-s",
        "-w",
        "-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v3.250.0",
    ),
    companions=("pulumi-language-python",),
)


_KUBERNETES_VERSION = "1.35.4"
_KUBERNETES_FLAGS = ("-s", "-w", f"-X k8s.io/component-base/version.gitVersion=v{_KUBERNETES_VERSION}")


def _kubernetes(
    name: str,
    *,
    version_command: tuple[str, ...] = ("--version",),
    from_path: tuple[Version, Version] | None = None,
) -> GoTool:
    return GoTool(
        name=name,
        version=_KUBERNETES_VERSION,
        module="kubernetes",
        package=f"k8s.io/kubernetes/cmd/{name}",
        version_command=version_command,
        from_path=from_path,
        linker_flags=_KUBERNETES_FLAGS,
    )


# The control plane is always ours, so that what the API server refuses does not depend on the machine.
ETCD = GoTool(
    name="etcd",
    version="3.6.5",
    module="kubernetes",
    package="go.etcd.io/etcd/server/v3",
    linker_flags=_KUBERNETES_FLAGS,
)
KUBE_APISERVER = _kubernetes("kube-apiserver")
KUBE_CONTROLLER_MANAGER = _kubernetes("kube-controller-manager")
KUBE_SCHEDULER = _kubernetes("kube-scheduler")
KWOK = GoTool(
    name="kwok",
    version="0.8.0",
    module="kwok",
    package="sigs.k8s.io/kwok/cmd/kwok",
    linker_flags=("-s", "-w"),
)

# One minor version of difference to the API server is supported:
# https://kubernetes.io/releases/version-skew-policy/#kubectl
KUBECTL = _kubernetes("kubectl", version_command=("version", "--client"), from_path=((1, 34), (1, 37)))
# What Helm believes of a cluster that it can't ask (`helm template`) is stamped too.
HELM = GoTool(
    name="helm",
    version="3.22.0",
    module="helm",
    package="helm.sh/helm/v3/cmd/helm",
    version_command=("version", "--short"),
    from_path=((3, 18), (4,)),
    linker_flags=(
        "-s",
        "-w",
        "-X helm.sh/helm/v3/internal/version.version=v3.22.0",
        "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1",
        "-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=35",
    ),
)

CONTROL_PLANE: tuple[GoTool, ...] = (KUBE_APISERVER, ETCD, KUBE_CONTROLLER_MANAGER, KUBE_SCHEDULER, KWOK)
KUBERNETES: tuple[GoTool, ...] = (*CONTROL_PLANE, KUBECTL, HELM)
CATALOGUE: tuple[GoTool, ...] = (*KUBERNETES, PULUMI)

# What the shop runs on a machine without Docker; no stack needs it.
CADDY = GoTool(
    name="caddy",
    version="2.11.7",
    module="caddy",
    package="github.com/caddyserver/caddy/v2/cmd/caddy",
    version_command=("version",),
    linker_flags=("-s", "-w", "-X github.com/caddyserver/caddy/v2.CustomVersion=v2.11.7"),
)
PROCESS_COMPOSE = GoTool(
    name="process-compose",
    version="1.87.0",
    module="process-compose",
    package="github.com/f1bonacc1/process-compose",
    version_command=("version", "--short"),
    linker_flags=(
        "-s",
        "-w",
        "-X github.com/f1bonacc1/process-compose/src/config.Version=v1.87.0",
    ),
)
SHOP: tuple[GoTool, ...] = (CADDY, PROCESS_COMPOSE)
