"""Tests of the sandbox's tools."""
