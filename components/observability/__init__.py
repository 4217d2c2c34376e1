"""Alarms on the managed stores and the topic they notify."""
