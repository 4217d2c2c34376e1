"""What stops the shop from starting, said to people."""


class ShopError(Exception):
    """The message says what is wrong, and what to do."""
