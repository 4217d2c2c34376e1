"""Tests of the eks plugin: its pure parts, and its components through the real engine."""
