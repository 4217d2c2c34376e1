"""Bringing the sandbox to where commands can run in it."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rich.markup import escape

from cloudcommerce_sandbox import clusters
from cloudcommerce_sandbox.console import Steps
from cloudcommerce_sandbox.contexts import named_context, select_context
from cloudcommerce_sandbox.engine import state
from cloudcommerce_sandbox.engine.runner import Engine
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.locking import exclusive
from cloudcommerce_sandbox.supervisor import Emulator, ensure_emulator, runs_older_code
from cloudcommerce_sandbox.tools.catalogue import CATALOGUE, PULUMI, GoTool
from cloudcommerce_sandbox.tools.resolve import ensure_tools
from cloudcommerce_sandbox.tools.store import ToolStore
from cloudcommerce_sandbox.workspace import home
from cloudcommerce_sandbox.workspace.documents import read_mapping
from cloudcommerce_sandbox.workspace.environment import sandbox_environment
from cloudcommerce_sandbox.workspace.layout import PROJECT_FILE, Layout
from cloudcommerce_sandbox.workspace.stackfile import Refreshed
from cloudcommerce_sandbox.workspace.view import refresh_view, stack_file_name

Plugins = Literal["sandbox", "official"]

DEFAULT_STACK = "prod"

_LANGUAGE_HOST = "pulumi-language-python"
_LOCK_WAIT_SECONDS = 10.0


@dataclass(frozen=True, kw_only=True)
class Session:
    """A sandbox that is ready for one stack.

    Attributes:
        layout: Where things are.
        project: The project's name.
        stack: The stack's name.
        plugins: Whose resource plugins the engine uses.
        emulator: The running emulator.
        engine: The engine's command line.
    """

    layout: Layout
    project: str
    stack: str
    plugins: Plugins
    emulator: Emulator
    engine: Engine

    def state(self) -> state.StackState:
        """Return what stands, as the engine knows it."""
        return state.read_state(self.layout, self.project, self.stack) or state.StackState()


def chosen_plugins() -> Plugins:
    """Return whose resource plugins the user wants.

    `CLOUDCOMMERCE_PLUGINS=official` (`make up PLUGINS=official`) asks for Pulumi's own.

    Raises:
        SandboxError: The setting is neither.
    """
    wanted = os.environ.get("CLOUDCOMMERCE_PLUGINS") or "sandbox"
    if wanted == "sandbox":
        return "sandbox"
    if wanted == "official":
        return "official"
    raise SandboxError(f"CLOUDCOMMERCE_PLUGINS is {wanted!r}.", "It takes `sandbox` or `official`.")


def project_name(layout: Layout) -> str:
    """Return the name in the project's `Pulumi.yaml`.

    Args:
        layout: The sandbox.

    Raises:
        SandboxError: The file has none.
    """
    path = layout.checkout / PROJECT_FILE
    name = read_mapping(path).get("name")
    if not isinstance(name, str) or not name:
        raise SandboxError(f"{path} names no project (its `name` is {name!r}).", "It needs `name:`.")
    return name


@contextmanager
def opened(layout: Layout, stack: str, steps: Steps, *, exclusively: bool = True) -> Iterator[Session]:
    """Make the sandbox ready for a stack: tools, plugins, emulator, view, state.

    Each part is left alone when it is as it should be.

    Args:
        layout: The sandbox.
        stack: The stack.
        steps: Shows what is done.
        exclusively: Whether no other command may work on the sandbox's stacks meanwhile.

    Yields:
        The session.

    Raises:
        SandboxError: A part can't be made ready, or another command is at work.
    """
    plugins = chosen_plugins()
    project = project_name(layout)
    _require_stack_file(layout, stack)
    tools = ensure_tools(ToolStore(layout.tools), layout.logs, steps, needed_tools(layout))
    with _turn(layout, steps):
        _install(layout, tools["pulumi"], plugins)
        emulator = _start_emulator(layout, steps)
        refreshed = refresh_view(layout, stack)
        if clusters.are_needed(layout):
            _start_clusters(layout, emulator, stack, steps)
        environment = sandbox_environment(layout, endpoint=emulator.url, stack=stack, plugins=plugins)
        engine = Engine(
            executable=tools["pulumi"], directory=layout.project, environment=environment, logs=layout.logs
        )
        session = Session(
            layout=layout, project=project, stack=stack, plugins=plugins, emulator=emulator, engine=engine
        )
        _tell(refreshed, stack, steps)
        if plugins == "official":
            _download_plugins(engine, steps)
        _check_state(session, steps)
        select_context(layout, stack, session.state())
        if exclusively:
            yield session
            select_context(layout, stack, session.state())
    if not exclusively:
        yield session


def _turn(layout: Layout, steps: Steps) -> AbstractContextManager[None]:
    """Hold the sandbox for one command, after a short wait for another one that is about to end."""

    def waiting(holder: str) -> None:
        steps.say(f"  [yellow]![/] Waiting up to {_LOCK_WAIT_SECONDS:.0f} s for {escape(holder)}")

    return exclusive(layout.lock("engine"), wait_seconds=_LOCK_WAIT_SECONDS, on_wait=waiting)


def needed_tools(layout: Layout) -> Sequence[GoTool]:
    """Return the tools that a project needs: those for clusters only if it may make some.

    Args:
        layout: The sandbox.
    """
    return CATALOGUE if clusters.are_needed(layout) else (PULUMI,)


def _require_stack_file(layout: Layout, stack: str) -> None:
    if (layout.checkout / stack_file_name(stack)).is_file():
        return
    pattern = stack_file_name("*")
    prefix, suffix = pattern.split("*")
    stacks = [path.name.removeprefix(prefix).removesuffix(suffix) for path in layout.checkout.glob(pattern)]
    raise SandboxError(
        f"There is no {stack_file_name(stack)} in {layout.checkout}.",
        f"The project's stacks are: {', '.join(sorted(stacks)) or 'none'}. Choose one with STACK or --stack.",
    )


def _install(layout: Layout, pulumi: Path, plugins: Plugins) -> None:
    home.ensure_passphrase(layout.passphrase)
    home.write_launcher(layout.tools / "aws", "cloudcommerce_sandbox.aws_cli")
    if plugins == "sandbox":
        home.install_plugins(layout.home(plugins))
    # A command line from PATH has the official language host beside it; the one we built has ours.
    if pulumi.parent == layout.tools:
        home.write_launcher(layout.tools / _LANGUAGE_HOST, "cloudcommerce_sandbox.language_host")
    else:
        (layout.tools / _LANGUAGE_HOST).unlink(missing_ok=True)


def _start_emulator(layout: Layout, steps: Steps) -> Emulator:
    with steps.step("start the AWS emulator") as step:
        emulator, started = ensure_emulator(
            layout,
            lambda text: steps.say(f"  [yellow]![/] Waiting: {escape(text)}"),
            is_followed=clusters.are_needed(layout),
        )
        step.finish(emulator.url)
        if not started:
            step.skip()
    if not started and runs_older_code(layout):
        steps.say("  [yellow]![/] The emulator runs older code than the checkout's: `make stop`, then again.")
    if archived := state.bind_state(layout, emulator.incarnation):
        steps.say(
            "  [yellow]![/] The emulator, which holds AWS in memory, has been restarted since the last run: "
            f"starting from nothing. The old state is in {archived.relative_to(layout.checkout)}."
        )
    return emulator


def _start_clusters(layout: Layout, emulator: Emulator, stack: str, steps: Steps) -> None:
    """Start what makes the emulator's clusters real, and the local cluster that the stack names."""
    clusters.ensure_follower(layout, emulator)
    if not (context := named_context(layout, stack)):
        return
    if any(cluster.name == context and cluster.region for cluster in clusters.running_clusters(layout)):
        return
    with steps.step(f"start the Kubernetes cluster {context}") as step:
        began_ready = any(cluster.name == context for cluster in clusters.running_clusters(layout))
        clusters.ensure_local_cluster(layout, emulator, context, step.update)
        if began_ready:
            step.skip()


def _tell(refreshed: Refreshed, stack: str, steps: Steps) -> None:
    name = stack_file_name(stack)
    if refreshed.local:
        steps.say(f"  [yellow]![/] Set in the sandbox only, not in {name}: {', '.join(refreshed.local)}")
    if refreshed.restored:
        steps.say(f"  [yellow]![/] Back as in {name}, after their removal: {', '.join(refreshed.restored)}")
    if refreshed.encrypted:
        steps.say(
            f"  [yellow]![/] {name} has encrypted settings that only its own backend reads, left out: "
            f"{', '.join(refreshed.encrypted)}. Set them with `pulumi config set --secret` in `make shell`."
        )


def _check_state(session: Session, steps: Steps) -> None:
    layout, project, stack = session.layout, session.project, session.stack
    for lock in state.remove_stale_locks(layout, project, stack):
        steps.say(f"  [yellow]![/] Removed the lock of an engine (process {lock.pid}) that has been killed.")
    for lock in state.engine_locks(layout, project, stack):
        raise SandboxError(
            f"The engine (process {lock.pid}) is working on stack {stack} at this moment.",
            f"Wait for it, or stop it with `kill -INT {lock.pid}`.",
        )
    if not state.stack_path(layout, project, stack).is_file():
        done = session.engine.capture("stack", "init", stack)
        if done.returncode != 0:
            raise SandboxError(
                f"The stack {stack} can't be created: {done.stderr.strip()}",
                "`make reset` starts from nothing.",
            )


def _download_plugins(engine: Engine, steps: Steps) -> None:
    for plugin in home.our_plugins():
        with steps.step(f"official plugin {plugin.name} {plugin.version}") as step:
            if plugin.available(Path(engine.environment["PULUMI_HOME"])):
                step.skip()
                continue
            done = engine.capture("plugin", "install", "resource", plugin.name, plugin.version)
            if done.returncode != 0:
                raise SandboxError(
                    f"The official {plugin.name} plugin {plugin.version} can't be had: {done.stderr.strip()}",
                    "It comes from get.pulumi.com or github.com. Plain `make up` uses our own plugins.",
                )


def teardown_command(session: Session, *, yes: bool) -> Sequence[str]:
    """Return the command that takes a stack down, the same one as on AWS.

    Args:
        session: The sandbox.
        yes: Whether it goes ahead without asking.
    """
    python = session.layout.checkout / ".venv" / "bin" / "python"
    command = [str(python), "-m", "operations", "teardown", "--stack", session.stack]
    return [*command, "--yes"] if yes else command
