"""The command line: one group, one command a task, the same options everywhere."""

import importlib

import click

_COMMANDS = {
    "audit": ("operations.commands", "audit", "Prove the claims of the stack's audit output against AWS."),
    "bootstrap": (
        "operations.bootstrap",
        "bootstrap",
        "Give every service its own database, users and vhosts.",
    ),
    "recover": ("operations.commands", "recover", "Mend state and AWS after an update that died."),
    "teardown": (
        "operations.commands",
        "teardown",
        "Take a protected stack down, and prove that nothing is left.",
    ),
}


class _Commands(click.Group):
    """Imports a command when it is used: each needs an extra of its own, and `--help` needs none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        module, attribute, _ = _COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)  # noqa: S101 - narrows what getattr cannot type
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, _, text) in sorted(_COMMANDS.items())])


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Commands for people after `pulumi up`.

    They work in the folder of the Pulumi project, on AWS and against an emulator alike: credentials, region
    and endpoints come from the environment as for every AWS tool, state and passphrase as for `pulumi`.
    """
