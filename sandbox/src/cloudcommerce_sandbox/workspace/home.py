"""The engine's home, with our plugins in the places where it looks for downloaded ones."""

import pkgutil
import secrets
import shlex
import shutil
import sys
from pathlib import Path

from cloudcommerce_sandbox import plugins
from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.language_host.packages import SdkPlugin, installed_plugins

_PASSPHRASE_BYTES = 32


def our_plugins() -> list[SdkPlugin]:
    """Return the plugins that we have an implementation of, at the versions the installed SDKs ask for."""
    implemented = {
        module.name
        for module in pkgutil.iter_modules(plugins.__path__)
        if module.ispkg and _is_runnable(Path(plugins.__path__[0]) / module.name)
    }
    return [plugin for plugin in installed_plugins() if plugin.name in implemented]


def install_plugins(home: Path) -> list[SdkPlugin]:
    """Put a launcher for each of our plugins into a `PULUMI_HOME`.

    Args:
        home: The home, which is ours alone; launchers of other versions are removed.

    Returns:
        The plugins.
    """
    installed = our_plugins()
    folder = home / "plugins"
    folder.mkdir(parents=True, exist_ok=True)
    for stale in {entry.name for entry in folder.iterdir()} - {plugin.directory_name for plugin in installed}:
        shutil.rmtree(folder / stale, ignore_errors=True)
    for plugin in installed:
        write_launcher(
            folder / plugin.directory_name / plugin.executable_name,
            f"cloudcommerce_sandbox.plugins.{plugin.name}",
        )
    return installed


def write_launcher(path: Path, module: str) -> None:
    """Write an executable that runs a Python module with this interpreter.

    Args:
        path: The executable.
        module: The module's full name.
    """
    command = f'exec {shlex.quote(sys.executable)} -m {module} "$@"'
    write_atomically(path, f"#!/bin/sh\n{command}\n", mode=0o755)


def ensure_passphrase(path: Path) -> None:
    """Make the passphrase that encrypts secrets in the sandbox's state, unless there is one.

    Args:
        path: The file, readable by its owner only.
    """
    if not path.is_file() or not path.read_bytes().strip():
        write_atomically(path, secrets.token_urlsafe(_PASSPHRASE_BYTES), mode=0o600)


def _is_runnable(package: Path) -> bool:
    return (package / "__main__.py").is_file()
