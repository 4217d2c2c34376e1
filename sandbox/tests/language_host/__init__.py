"""Tests of the sandbox's language_host."""
