"""What can be wrong, and how it is mended."""

import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass

from rich.markup import escape

from cloudcommerce_sandbox import clusters, supervisor
from cloudcommerce_sandbox.console import out
from cloudcommerce_sandbox.engine import state as states
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.session import chosen_plugins, needed_tools, project_name
from cloudcommerce_sandbox.summary import cluster_line
from cloudcommerce_sandbox.tools.go import Go
from cloudcommerce_sandbox.tools.resolve import go_version_needed, on_path
from cloudcommerce_sandbox.tools.store import DISK_NEEDED_GIB, ToolStore
from cloudcommerce_sandbox.workspace import home
from cloudcommerce_sandbox.workspace.layout import Layout


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: What.
        well: Whether it is as it should be.
        says: What was found.
        remedy: What to do when it is not well.
    """

    subject: str
    well: bool
    says: str
    remedy: str = ""

    def document(self) -> dict[str, object]:
        """Return it as plain data."""
        return asdict(self)

    def show(self) -> None:
        """Print it."""
        mark = "[green]✓[/]" if self.well else "[red]✗[/]"
        out.print(f"  {mark} {self.subject}: {escape(self.says)}", soft_wrap=True)
        if not self.well:
            out.print(f"    → {escape(self.remedy)}", soft_wrap=True)


def examine(layout: Layout) -> list[Finding]:
    """Look at everything, and change nothing.

    Args:
        layout: The sandbox.

    Returns:
        The findings, in the order in which `make up` needs the things.
    """
    examinations: list[Callable[[Layout], Finding]] = [
        _disk,
        _go,
        _tools,
        _plugins,
        _emulator,
        _clusters,
        _state,
    ]
    return [_python(), *(_guarded(examination, layout) for examination in examinations)]


def _guarded(examination: Callable[[Layout], Finding], layout: Layout) -> Finding:
    try:
        return examination(layout)
    except (SandboxError, OSError) as error:
        told = SandboxError.of_system(error) if isinstance(error, OSError) else error
        subject = examination.__name__.removeprefix("_")
        return Finding(subject=subject, well=False, says=told.message, remedy=told.remedy)


def _python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding(subject="python", well=True, says=f"{version} ({sys.executable})")


def _disk(layout: Layout) -> Finding:
    free = shutil.disk_usage(layout.checkout).free / 2**30
    return Finding(
        subject="disk",
        well=free >= DISK_NEEDED_GIB,
        says=f"{free:.1f} GiB free (building the tools needs {DISK_NEEDED_GIB:.0f})",
        remedy="Free some space.",
    )


def _go(layout: Layout) -> Finding:
    needed = go_version_needed(needed_tools(layout))
    go = Go.find(needed)
    return Finding(subject="go", well=True, says=f"{go.version} (needs {needed})")


def _tools(layout: Layout) -> Finding:
    store = ToolStore(layout.tools)
    parts = []
    for tool in needed_tools(layout):
        if found := on_path(tool, store.directory):
            parts.append(f"{tool.name} from {found}")
        else:
            parts.append(f"{tool.name} {tool.version} {'built' if store.is_current(tool) else 'to be built'}")
    return Finding(subject="tools", well=True, says=", ".join(parts))


def _plugins(_layout: Layout) -> Finding:
    plugins = [f"{plugin.name} {plugin.version}" for plugin in home.our_plugins()]
    return Finding(
        subject="plugins",
        well=bool(plugins),
        says=f"{chosen_plugins()}: {', '.join(plugins) or 'none'}",
        remedy="Run `make venv`: a Pulumi SDK is missing.",
    )


def _emulator(layout: Layout) -> Finding:
    emulator = supervisor.running_emulator(layout)
    says = f"{emulator.url} (process {emulator.pid})" if emulator else "not running; `make up` starts it"
    return Finding(subject="emulator", well=True, says=says)


def _clusters(layout: Layout) -> Finding:
    found = clusters.running_clusters(layout)
    lost = supervisor.running_emulator(layout) is not None and not clusters.is_followed(layout)
    if clusters.are_needed(layout) and lost:
        return Finding(
            subject="clusters",
            well=False,
            says="nothing follows the emulator's EKS",
            remedy="`make up` starts it again; the clusters it finds running go on.",
        )
    return Finding(
        subject="clusters",
        well=not any(cluster.trouble for cluster in found),
        says="; ".join(cluster_line(cluster) for cluster in found) or "none",
        remedy=f"The logs of each cluster's processes are below {layout.kubernetes / 'clusters'}.",
    )


def _state(layout: Layout) -> Finding:
    project = project_name(layout)
    folder = states.stack_path(layout, project, "any").parent
    stacks = sorted(path.stem for path in folder.glob("*.json"))
    for stack in stacks:
        state = states.read_state(layout, project, stack)
        if state is None:
            return Finding(
                subject="state",
                well=False,
                says=f"the state of {stack} can't be read",
                remedy="`make reset` forgets it.",
            )
        if state.pending:
            return Finding(
                subject="state",
                well=False,
                says=f"{stack} has {len(state.pending)} operations whose end is not known",
                remedy=f"`make shell`, then `python -m operations recover --stack {stack}`.",
            )
    return Finding(subject="state", well=True, says=", ".join(stacks) or "nothing deployed")
