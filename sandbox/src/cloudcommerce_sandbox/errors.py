"""What the sandbox tells its user when it can't go on."""

import errno

_REMEDIES = {
    errno.EACCES: "Make it yours to write: check its owner and permissions.",
    errno.EPERM: "Make it yours to write: check its owner and permissions.",
    errno.EROFS: "The file system is mounted read-only: work in a checkout on another one.",
    errno.ENOSPC: "Free some space; `make clean` deletes what the checkout made for itself.",
    errno.EDQUOT: "Free some space; `make clean` deletes what the checkout made for itself.",
    errno.EEXIST: "Something else has that name: move it away.",
    errno.ENOTDIR: "A file stands where a folder is needed: move it away.",
    errno.EISDIR: "A folder stands where a file is needed: move it away.",
    errno.EMFILE: "Raise the limit on open files: `ulimit -n 4096`.",
}


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

    @classmethod
    def of_system(cls, error: OSError) -> "SandboxError":
        """Return what the user is told when the system refuses something.

        Args:
            error: The refusal.
        """
        remedy = _REMEDIES.get(error.errno or 0, "`make doctor` checks this machine.")
        return cls(f"{error.filename or 'The system'}: {error.strerror}.", remedy)
