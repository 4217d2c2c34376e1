"""The environment variables by which a process works in the sandbox and nowhere else."""

import os
from collections.abc import Mapping

from cloudcommerce_sandbox.workspace.layout import CHECKOUT_VARIABLE, Layout

REGION = "us-east-1"

# An inherited setting of either kind could send a command to a real account or a real backend.
_FOREIGN = ("AWS_", "PULUMI_")
# Each engine run starts half a dozen interpreters; without caches each would compile pulumi_aws anew.
_SLOW = ("PYTHONDONTWRITEBYTECODE",)


def sandbox_environment(
    layout: Layout, *, endpoint: str, stack: str, plugins: str, inherited: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the whole environment for `pulumi`, `aws`, boto3 and the project's own commands.

    Args:
        layout: The sandbox.
        endpoint: The emulator's URL.
        stack: The stack that commands work on unless they name another.
        plugins: `sandbox` or `official`.
        inherited: The user's environment; of it, nothing of AWS or Pulumi is kept, nor what
            makes Python slow.

    Returns:
        The variables.
    """
    env = {key: value for key, value in inherited.items() if not key.startswith(_FOREIGN + _SLOW)}
    virtualenv = layout.checkout / ".venv" / "bin"
    path = [str(layout.tools), str(virtualenv), inherited.get("PATH", os.defpath)]
    env |= {
        "PATH": os.pathsep.join(path),
        "NO_PROXY": ",".join(filter(None, ["127.0.0.1,localhost", inherited.get("NO_PROXY", "")])),
        CHECKOUT_VARIABLE: str(layout.checkout),
        # Not the user's, where a real cluster may be the current one, nor another stack's: the first file
        # chooses, the second knows the clusters.
        "KUBECONFIG": os.pathsep.join([str(layout.context(stack)), str(layout.kubeconfig)]),
    }
    return env | _aws(endpoint) | _pulumi(layout, stack, plugins)


def _aws(endpoint: str) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


def _pulumi(layout: Layout, stack: str, plugins: str) -> dict[str, str]:
    return {
        "PULUMI_HOME": str(layout.home(plugins)),
        "PULUMI_BACKEND_URL": f"file://{layout.state}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(layout.passphrase),
        "PULUMI_STACK": stack,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # With our plugins, one that is missing is a mistake to report, not something to look for on the
        # internet.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": str(plugins == "sandbox").lower(),
    }
