"""The `aws` of the sandbox: the AWS command line, held to the emulator.

Unlike the SDKs it replaces `AWS_ENDPOINT_URL` for some services (rds, docdb, sqs and others) by a
historical host name of theirs, so that a command would leave the machine:
https://github.com/aws/aws-cli/blob/develop/awscli/customizations/overridesslcommonname.py
An endpoint on the command line it leaves alone.
"""

import os
import sys
from collections.abc import Sequence

from awscli import clidriver

_OPTION = "--endpoint-url"


def arguments(given: Sequence[str], endpoint: str | None) -> list[str]:
    """Return the command's arguments with the emulator's endpoint, unless they name one themselves.

    Args:
        given: What the user typed after `aws`.
        endpoint: The emulator's URL; None outside of the sandbox's environment.
    """
    named = any(argument == _OPTION or argument.startswith(f"{_OPTION}=") for argument in given)
    return list(given) if named or not endpoint else [_OPTION, endpoint, *given]


if __name__ == "__main__":
    sys.exit(clidriver.create_clidriver().main(arguments(sys.argv[1:], os.environ.get("AWS_ENDPOINT_URL"))))
