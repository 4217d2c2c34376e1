"""Tests of the sandbox's engine."""
