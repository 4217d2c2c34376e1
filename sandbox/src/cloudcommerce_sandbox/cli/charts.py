"""The commands about Helm charts: mirrors of them, and recordings of what they render."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from cloudcommerce_sandbox.charts import definitions
from cloudcommerce_sandbox.charts.declared import Declared, from_preview, problems
from cloudcommerce_sandbox.charts.helm import Helm, HelmError
from cloudcommerce_sandbox.charts.inventory import Recordings
from cloudcommerce_sandbox.charts.mirror import NOWHERE, VARIABLE, Mirror
from cloudcommerce_sandbox.charts.recording import record as take_down
from cloudcommerce_sandbox.cli.group import Group
from cloudcommerce_sandbox.console import Steps, err, out
from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.session import DEFAULT_STACK, Session, opened
from cloudcommerce_sandbox.workspace.layout import Layout

stack_option = click.option(
    "--stack",
    default=DEFAULT_STACK,
    show_default=True,
    envvar="STACK",
    help="The stack whose releases are meant.",
)
declared_option = click.option(
    "--preview",
    "preview",
    type=click.File(),
    help="Take the releases from this output of `pulumi preview --json` instead of running one.",
)


@click.group(cls=Group)
def charts() -> None:
    """Mirror Helm charts, and record what they render for machines without them."""


@charts.command(name="list")
def list_recordings() -> None:
    """Show what is recorded."""
    for path, inventory in Recordings().all():
        kinds = len(inventory.definitions)
        out.print(
            f"{inventory.chart} {inventory.version}  release {inventory.namespace}/{inventory.release}  "
            f"{len(inventory.objects)} objects, {kinds} kinds  {path.name}",
            soft_wrap=True,
        )


@charts.command()
@stack_option
@declared_option
def check(stack: str, preview: Any) -> None:
    """Compare the recordings with the releases that the stack declares; exit code 1 when one does not fit."""
    found = list(problems(_declared(stack, preview), Recordings()))
    for problem in found:
        click.echo(problem)
    sys.exit(1 if found else 0)


@charts.command()
@stack_option
@declared_option
@click.option("--mirror", "location", required=True, help="A folder of charts, or oci://HOST/PATH.")
@click.option("--recordings", type=click.Path(path_type=Path), help="Another folder than the sandbox's own.")
@click.argument("names", metavar="[CHART]...", nargs=-1)
def record(stack: str, preview: Any, location: str, recordings: Path | None, names: tuple[str, ...]) -> None:
    """Render the charts of the stack's releases (or only CHART...) and keep the shapes of what comes out."""
    store, mirror, helm = Recordings(recordings) if recordings else Recordings(), Mirror(location), _helm()
    wanted = [release for release in _declared(stack, preview) if not names or release.chart in names]
    absent = sorted({*names} - {release.chart for release in wanted})
    if absent:
        raise SandboxError(f"The stack {stack} declares no release of {', '.join(absent)}.")
    for release in wanted:
        chart = mirror.find(helm, release.chart, release.version)
        if chart is None:
            raise SandboxError(
                f"The mirror {location} has no chart {release.chart} {release.version}.",
                f"Add it from its source: `cloudcommerce-sandbox charts mirror {location} SOURCE`.",
            )
        try:
            inventory = take_down(helm, chart, release, definitions.served())
        except HelmError as error:
            raise SandboxError(f"{release.chart} {release.version} can't be rendered: {error}") from error
        out.print(f"recorded {release.chart} {release.version}: {store.save(inventory).name}", soft_wrap=True)


@charts.command()
@click.option("--version", default="", help="The version to give it, where a release process stamps one.")
@click.argument("location", type=click.Path(file_okay=False, path_type=Path))
@click.argument("sources", type=click.Path(exists=True, file_okay=False, path_type=Path), nargs=-1)
def mirror(location: Path, sources: tuple[Path, ...], version: str) -> None:
    """Put charts from their SOURCES (folders of their repositories) into the mirror at LOCATION, a folder."""
    location.mkdir(parents=True, exist_ok=True)
    helm = _helm()
    for source in sources:
        try:
            chart = Mirror(str(location)).add(helm, source, version)
        except HelmError as error:
            raise SandboxError(f"{source} can't be packaged: {error}") from error
        out.print(f"{chart.name} {chart.version}", soft_wrap=True)


def _helm() -> Helm:
    try:
        ours = Layout.find().tools / "helm"
        return Helm(ours) if ours.is_file() else Helm.find()
    except HelmError as error:
        raise SandboxError(f"{error}.") from error


def _declared(stack: str, preview: Any) -> list[Declared]:
    if preview is not None:
        return from_preview(json.load(preview))
    with Steps(err) as steps, opened(Layout.find(), stack, steps, exclusively=False) as session:
        pass
    return from_preview(_preview_of_nothing(session))


def _preview_of_nothing(session: Session) -> dict[str, Any]:
    """Preview the stack as if nothing stood: every value that another resource tells is unknown then."""
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        nothing = {"PULUMI_BACKEND_URL": f"file://{folder}", VARIABLE: NOWHERE}
        environment = {**session.engine.environment, **nothing}
        engine = replace(session.engine, environment=environment)
        for command in (["stack", "init", session.stack], ["preview", "--json", "--stack", session.stack]):
            done = engine.capture(*command)
            if done.returncode != 0:
                raise SandboxError(
                    f"`pulumi {command[0]}` failed: {done.stderr.strip() or done.stdout.strip()[-2000:]}",
                    "`make preview` shows the same on what stands.",
                )
    return dict(json.loads(done.stdout))
