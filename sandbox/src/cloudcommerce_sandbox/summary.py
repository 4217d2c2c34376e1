"""What `make up` says at its end: what stands where, and who executed it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from rich.markup import escape
from rich.table import Table

from cloudcommerce_sandbox.clusters import running_clusters
from cloudcommerce_sandbox.console import duration, out
from cloudcommerce_sandbox.engine.events import Failure, name_of, type_of
from cloudcommerce_sandbox.engine.runner import Outcome
from cloudcommerce_sandbox.engine.state import StackState
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.executors import WORDS, count_executors
from cloudcommerce_sandbox.kubernetes.state import ClusterState
from cloudcommerce_sandbox.session import DEFAULT_STACK, Session
from cloudcommerce_sandbox.supervisor import is_up

_SHOWN_TYPES = 4


def show(session: Session, outcome: Outcome) -> None:
    """Print the outcome of an `up` that ended well.

    Args:
        session: The sandbox.
        outcome: How the engine ended.
    """
    state = session.state()
    if not outcome.progress.changed():
        out.print(f"\n[green]Nothing to change[/]: {len(state.custom())} resources stand as they should.")
    out.print()
    out.print(table(state))
    out.print(_executors(session, state))
    out.print(
        f"[bold]{session.stack}[/] on {session.emulator.url} · {outcome.progress.counted()}"
        f" · {duration(outcome.seconds)}"
    )
    for cluster in running_clusters(session.layout):
        out.print(f"[bold]cluster[/] {escape(cluster_line(cluster))}")
    out.print(what_is_next(session.stack, state))


def what_is_next(stack: str, state: StackState) -> str:
    """Return the commands that make sense once a stack stands.

    Args:
        stack: The stack's name.
        state: What stands.
    """
    of_stack = "" if stack == DEFAULT_STACK else f" STACK={stack}"
    protected = any(resource.get("protect") for resource in state.resources)
    refusal = " (plain `pulumi destroy` refuses: data stores are protected)" if protected else ""
    steps = {
        "preview": "what a change in the code would do",
        "shell": "a shell in which every `pulumi`, `aws` and `kubectl` command works on the sandbox",
        "down": f"take it down{refusal}",
    }
    lines = [f"  {f'make {name}{of_stack}':<{len(of_stack) + 14}} {text}" for name, text in steps.items()]
    elsewhere = f"  Outside the sandbox, `python -m operations teardown --stack {stack}` takes it down."
    return "\n".join(["", "Next:", *lines, elsewhere])


def cluster_line(cluster: ClusterState) -> str:
    """Return one line about a cluster.

    Args:
        cluster: The cluster.
    """
    kind = f"EKS {cluster.region}" if cluster.region else "local"
    says = cluster.trouble.splitlines()[0] if cluster.trouble else "" if cluster.ready else "starting"
    return f"{cluster.name} ({kind}) on {cluster.endpoint or 'no address yet'}{says and f': {says}'}"


def cluster_row(cluster: ClusterState) -> dict[str, Any]:
    """Return a cluster as plain data, for `status --json`.

    Args:
        cluster: The cluster.
    """
    return {
        "name": cluster.name,
        "region": cluster.region,
        "ready": cluster.ready,
        "endpoint": cluster.endpoint,
        "trouble": cluster.trouble,
        "processes": dict(cluster.processes),
    }


def show_failures(session: Session, outcome: Outcome) -> None:
    """Print why the engine failed, and what to do next.

    Args:
        session: The sandbox.
        outcome: How the engine ended.
    """
    state = session.state()
    if not is_up(session.layout, session.emulator):
        out.print(
            "\n[red]✗ The AWS emulator ended during the run[/]; `cloudcommerce-sandbox logs` shows why."
            "\n  → `make up` starts it again, from nothing: it holds AWS in memory."
        )
        return
    for failure in outcome.failures():
        out.print(f"\n[red]✗ {_title(failure)}[/]")
        out.print(_indented(failure.message), markup=False)
    out.print(f"\n{outcome.progress.counted()} · {duration(outcome.seconds)} · log: {outcome.log}")
    if outcome.interrupted:
        out.print("Stopped as you asked. What had begun is in the state.")
    out.print(next_step(session.stack, state, outcome))


def next_step(stack: str, state: StackState, outcome: Outcome) -> str:
    """Return what to do after an `up` that failed, as console markup.

    Args:
        stack: The stack's name.
        state: What the engine has written down.
        outcome: How the engine ended.
    """
    recover = (
        f"  → `make recover STACK={stack}` finds them and puts them right (on AWS it is "
        f"`python -m operations recover --stack {stack}`); then `make up`."
    )
    if state.pending:
        names = ", ".join(name_of(item["resource"]["urn"]) for item in state.pending)
        begun = f"{len(state.pending)} operations had begun and their end is not known"
        return f"[yellow]{begun}[/]: {escape(names)}\n{recover}"
    if doubtful := [failure.resource for failure in outcome.failures() if failure.in_doubt]:
        names = ", ".join(dict.fromkeys(doubtful))
        return (
            f"[yellow]AWS may hold resources that the state does not know of[/]: {escape(names)}\n{recover}"
        )
    if outcome.interrupted:
        return "  → `make up` goes on from there."
    return "  → Mend the cause and run `make up` again: it goes on from where it ended."


def refuse_unfinished_creations(stack: str, state: StackState) -> None:
    """Refuse to update over creations whose end is not known: the engine would make the resources once more.

    Args:
        stack: The stack's name.
        state: What the engine has written down.

    Raises:
        SandboxError: With the resources and the way out.
    """
    creations = [item for item in state.pending if item.get("type") == "creating"]
    if not creations:
        return
    names = ", ".join(name_of(item["resource"]["urn"]) for item in creations)
    raise SandboxError(
        f"The last run of {stack} was ended while it made these, and may have made them: {names}.",
        f"Run `make recover STACK={stack}` first; then `make up` goes on from there.",
    )


def _executors(session: Session, state: StackState) -> str:
    try:
        provenance = session.emulator.get("provenance")
    except (OSError, ValueError):
        return "The emulator does not say who executed what."
    counts = count_executors((resource["type"] for resource in state.custom()), provenance)
    parts = [f"{counts[key]} {text}" for key, text in WORDS.items() if counts[key]]
    return f"Executed {', '.join(parts) or 'nothing'}. moto {provenance.get('moto')}."


def table(state: StackState) -> Table:
    """Return what stands, a row for each part.

    Args:
        state: The state.
    """
    shown = Table(pad_edge=False)
    shown.add_column("Part", style="bold", no_wrap=True)
    shown.add_column("Resources", justify="right")
    shown.add_column("What")
    parts = _by_part(state)
    for part in sorted(parts):
        kinds = parts[part]
        shown.add_row(part, str(kinds.total()), _described(kinds))
    return shown


def _by_part(state: StackState) -> dict[str, Counter[str]]:
    """Count the types of resources under each part: the component that lies directly under the stack."""
    parents = {resource["urn"]: resource.get("parent", "") for resource in state.resources}
    parts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for resource in state.custom():
        parts[_part(resource["urn"], parents)][type_of(resource["urn"])] += 1
    return dict(parts)


def _part(urn: str, parents: Mapping[str, str]) -> str:
    lineage = [urn]
    while (parent := parents.get(lineage[-1], "")) and parent not in lineage:
        lineage.append(parent)
    below_stack = [item for item in lineage if type_of(item) != "pulumi:pulumi:Stack"]
    return name_of(below_stack[-1]) if len(below_stack) > 1 else "(the stack itself)"


def _described(kinds: Counter[str]) -> str:
    shown = [f"{count} {_short(kind)}" for kind, count in kinds.most_common(_SHOWN_TYPES)]
    rest = len(kinds) - len(shown)
    return ", ".join(shown) + (f" and {rest} other types" if rest > 0 else "")


def _short(kind: str) -> str:
    """Return `rds Instance` for `aws:rds/instance:Instance`."""
    _, module, name = kind.split(":", 2)
    return f"{module.split('/')[0]} {name}"


def _title(failure: Failure) -> str:
    return f"{failure.operation} {failure.resource}".strip()


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())


def rows(state: StackState) -> Iterable[dict[str, Any]]:
    """Return what stands as plain data, for `status --json`.

    Args:
        state: The state.

    Yields:
        One mapping a part: its name, the number of resources and the types.
    """
    for part, kinds in sorted(_by_part(state).items()):
        yield {"part": part, "resources": kinds.total(), "types": dict(sorted(kinds.items()))}
