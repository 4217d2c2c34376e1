"""Gives every service its own database, users and vhosts, so that none connects as master.

`bootstrap` is the click command. Drivers of the stores are imported when it runs, not before: the other
commands of `operations` work where only their own extra is installed.
"""

from operations.bootstrap.cli import bootstrap

__all__ = ["bootstrap"]
