"""`python -m operations`, and the console script `operations`."""

from operations.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
