"""A group of commands whose help says of each in whole what it does."""

import sys

import click


class Group(click.Group):
    """Wraps what its commands say of themselves; click would cut it at the end of the line."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands with the first sentence of each.

        Args:
            ctx: Where the group is called.
            formatter: Takes what is written.
        """
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        rows = [(name, found.get_short_help_str(limit=sys.maxsize)) for name, found in commands if found]
        with formatter.section("Commands"):
            formatter.write_dl(rows)
