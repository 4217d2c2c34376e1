"""Tests of the sandbox's bootstrap."""
