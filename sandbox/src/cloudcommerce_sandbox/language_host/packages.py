"""The resource plugins that installed Pulumi SDKs ask for."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class SdkPlugin:
    """A resource plugin as an installed SDK names it in its `pulumi-plugin.json`.

    Attributes:
        name: The package's name, such as `aws`.
        version: Its version without a leading `v`.
        server: Where it is downloaded from when not from Pulumi's own place, else empty.
    """

    name: str
    version: str
    server: str = ""

    @property
    def directory_name(self) -> str:
        """The folder under `PULUMI_HOME/plugins` where the engine looks for it."""
        return f"resource-{self.name}-v{self.version}"

    @property
    def executable_name(self) -> str:
        """The executable's file name."""
        return f"pulumi-resource-{self.name}"

    def available(self, home: Path) -> bool:
        """Say whether the engine would find this plugin without a download.

        Args:
            home: The engine's `PULUMI_HOME`.

        Returns:
            True when it is installed in `home` or lies on PATH.
        """
        installed = home / "plugins" / self.directory_name / self.executable_name
        return installed.is_file() or shutil.which(self.executable_name) is not None


def installed_plugins() -> list[SdkPlugin]:
    """Return the plugins of every Pulumi SDK on `sys.path`, in the order of their names."""
    found: dict[str, SdkPlugin] = {}
    for entry in sys.path:
        for manifest in sorted(Path(entry or ".").glob("*/pulumi-plugin.json")):
            content = json.loads(manifest.read_text())
            if content.get("resource") and content.get("name") and content.get("version"):
                plugin = SdkPlugin(
                    name=content["name"],
                    version=content["version"].removeprefix("v"),
                    server=content.get("server") or "",
                )
                found.setdefault(plugin.name, plugin)
    return [found[name] for name in sorted(found)]
