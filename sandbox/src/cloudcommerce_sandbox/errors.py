"""What the sandbox tells its user when it can't go on."""


class SandboxError(Exception):
    """A failure that the user can do something about; the command line prints it without a traceback.

    Args:
        message: What is wrong, with the value and the limit.
        remedy: What to do next.
    """

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.remedy}" if self.remedy else self.message
