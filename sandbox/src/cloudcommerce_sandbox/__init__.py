"""Runs a Pulumi AWS project with the real engine on one machine: no account, no Docker."""
