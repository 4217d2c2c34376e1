"""Finding each tool: on PATH, in the store, or by building it."""

import os
import re
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cloudcommerce_sandbox.console import Steps
from cloudcommerce_sandbox.locking import exclusive
from cloudcommerce_sandbox.tools.catalogue import CATALOGUE, GoTool
from cloudcommerce_sandbox.tools.go import Go, described
from cloudcommerce_sandbox.tools.probe import parsed, version_of
from cloudcommerce_sandbox.tools.store import ToolStore

# One build keeps all processors busy while it compiles, but not while it downloads and links.
_BUILDS_AT_ONCE = 2
_LOCK_WAIT_SECONDS = 3600.0


def ensure_tools(
    store: ToolStore, logs: Path, steps: Steps, tools: Sequence[GoTool] = CATALOGUE
) -> dict[str, Path]:
    """Return where each tool is, building those that are nowhere.

    Args:
        store: Where built tools go.
        logs: The folder for the builds' logs.
        steps: Shows the builds.
        tools: The tools that are needed.

    Returns:
        The executables by tool name.

    Raises:
        SandboxError: Go is missing or too old, there is too little disk space, or a build failed.
    """
    found = {tool.name: on_path(tool, store.directory) for tool in tools}
    wanted = [tool for tool in tools if found[tool.name] is None]
    if not all(store.is_current(tool) for tool in wanted):
        _build_missing(store, logs, steps, wanted)
    return {tool.name: found[tool.name] or store.path(tool) for tool in tools}


def on_path(tool: GoTool, ours: Path) -> Path | None:
    """Return a tool on PATH whose version fits and whose companions lie beside it.

    Args:
        tool: The tool.
        ours: The folder of built tools, which is not looked at.

    Returns:
        Its path, or None.
    """
    if tool.from_path is None:
        return None
    oldest, below = tool.from_path
    folders = [entry for entry in os.get_exec_path() if Path(entry).resolve() != ours.resolve()]
    found = shutil.which(tool.name, path=os.pathsep.join(folders))
    if found is None:
        return None
    beside = Path(found).resolve().parent
    if not all(os.access(beside / companion, os.X_OK) for companion in tool.companions):
        return None
    version = version_of(Path(found), tool)
    if version is None or not oldest <= parsed(version) < below:
        return None
    return Path(found)


def go_version_needed(tools: Sequence[GoTool]) -> str:
    """Return the newest Go that any of the tools' modules asks for, such as `1.26`."""
    needed = [
        match.group(1)
        for tool in tools
        if (match := re.search(r"^go (\d+(?:\.\d+)*)", (tool.directory / "go.mod").read_text(), re.MULTILINE))
    ]
    return max(needed, key=parsed)


def _build_missing(store: ToolStore, logs: Path, steps: Steps, wanted: Sequence[GoTool]) -> None:
    def waiting(holder: str) -> None:
        steps.say(f"  … wait for {holder}, which is building the tools")

    lock = store.directory.parent / "locks" / "tools.lock"
    with exclusive(lock, wait_seconds=_LOCK_WAIT_SECONDS, on_wait=waiting):
        store.remove_leftovers()
        missing = [tool for tool in wanted if not store.is_current(tool)]
        if not missing:
            return
        go = Go.find(go_version_needed(missing))
        store.check_space()
        modules: dict[str, list[GoTool]] = {}
        for tool in missing:
            modules.setdefault(tool.module, []).append(tool)
        with ThreadPoolExecutor(_BUILDS_AT_ONCE) as pool:
            for build in [
                pool.submit(_build, go, of_module, store, logs, steps) for of_module in modules.values()
            ]:
                build.result()


def _build(go: Go, tools: Sequence[GoTool], store: ToolStore, logs: Path, steps: Steps) -> None:
    logs.mkdir(parents=True, exist_ok=True)
    title = f"build {described(tools)} (once; minutes with cold caches)"
    compiled = 0
    with (
        steps.step(title) as step,
        (logs / f"build-{tools[0].module}.log").open("w") as log,
        store.building(tools) as folder,
    ):

        def on_package(package: str) -> None:
            nonlocal compiled
            compiled += 1
            step.update(f"{compiled} packages, {package}")

        go.build(tools, folder, log, on_package)
        size = sum((folder / tool.built_name).stat().st_size for tool in tools)
        step.finish(f"{size / 2**20:.0f} MiB")
