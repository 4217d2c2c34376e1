"""Tests of the sandbox's cli."""
