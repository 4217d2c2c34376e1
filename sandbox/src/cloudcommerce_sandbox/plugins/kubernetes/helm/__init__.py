"""Helm releases: `kubernetes:helm.sh/v3:Release`."""
