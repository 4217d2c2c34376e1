"""The sandbox, a distribution of its own."""
