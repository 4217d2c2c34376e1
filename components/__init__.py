"""Reusable component resources: a package for each concern, and one class in a file."""
