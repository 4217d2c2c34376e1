"""Which releases a program declares, and what is said of those that no recording fits."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cloudcommerce_sandbox.charts.declared import from_preview, problems
from cloudcommerce_sandbox.charts.helm import Helm
from cloudcommerce_sandbox.charts.inventory import Recordings
from cloudcommerce_sandbox.charts.mirror import Chart, Mirror
from cloudcommerce_sandbox.charts.recording import record
from cloudcommerce_sandbox.charts.values import PLACEHOLDER
from cloudcommerce_sandbox.cli.charts import charts
from cloudcommerce_sandbox.errors import SandboxError

from sandbox.tests.charts.examples import release

pytestmark = [pytest.mark.mission_M70]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def _preview(**inputs: object) -> dict[str, Any]:
    wanted = {"chart": "shop", "version": "1.2.3", "name": "shop", "namespace": "store", **inputs}
    urn = "urn:pulumi:prod::p::a:b:C$kubernetes:helm.sh/v3:Release::shop"
    bucket = {"urn": "urn:pulumi:prod::p::aws:s3/bucket:Bucket::b", "type": "aws:s3/bucket:Bucket"}
    return {
        "steps": [
            {"op": "create", "newState": bucket},
            {
                "op": "create",
                "newState": {"urn": urn, "type": "kubernetes:helm.sh/v3:Release", "inputs": wanted},
            },
            {"op": "delete"},
        ]
    }


def test_releases_are_read_off_a_preview() -> None:
    values = {"password": "[secret]", "cluster": UNKNOWN, "replicas": 2}
    (found,) = from_preview(_preview(values=values, chart="oci://charts.example/path/shop"))
    assert (found.logical_name, found.name, found.chart) == ("shop", "shop", "shop")
    assert found.values == {"password": PLACEHOLDER, "cluster": PLACEHOLDER, "replicas": 2}


def test_a_release_of_unknown_name_is_called_by_its_logical_one() -> None:
    (found,) = from_preview(_preview(name=UNKNOWN, namespace=None))
    assert (found.name, found.namespace) == ("shop", "default")


def test_what_was_never_recorded_is_told_with_the_command(tmp_path: Path) -> None:
    (told,) = problems([release()], Recordings(tmp_path))
    assert "shop 1.2.3 was never recorded" in told
    assert "`cloudcommerce-sandbox charts record --mirror DIR shop`" in told
    (unpinned,) = problems([release(version="")], Recordings(tmp_path))
    assert "pin one" in unpinned


def test_a_changed_value_is_stale_and_a_recorded_release_is_not(
    helm: Helm, shop: Chart, tmp_path: Path
) -> None:
    store = Recordings(tmp_path)
    store.save(record(helm, shop, release({"replicas": 2})))
    assert list(problems([release({"replicas": 2})], store)) == []
    (told,) = problems([release({"replicas": 3})], store)
    assert "is stale: values.replicas is 3 now and was 2" in told
    assert "charts record --mirror DIR shop" in told


def test_the_commands_record_from_a_preview_and_check(mirror: Mirror, tmp_path: Path) -> None:
    preview, store = tmp_path / "preview.json", tmp_path / "recorded"
    preview.write_text(json.dumps(_preview(values={"replicas": 2})))
    run = CliRunner().invoke(
        charts,
        ["record", "--preview", str(preview), "--mirror", mirror.location, "--recordings", str(store)],
        catch_exceptions=False,
    )
    assert run.exit_code == 0, run.output
    assert [found.chart for _, found in Recordings(store).all()] == ["shop"]
    check = CliRunner().invoke(charts, ["check", "--preview", str(preview)])
    assert check.exit_code == 1, "the sandbox's own recordings know no shop"
    assert "charts record" in check.output
    with pytest.raises(SandboxError, match="declares no release of kong"):
        CliRunner().invoke(
            charts,
            ["record", "--preview", str(preview), "--mirror", mirror.location, "kong"],
            catch_exceptions=False,
        )
