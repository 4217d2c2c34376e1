"""Compositions of components: one module an environment."""
