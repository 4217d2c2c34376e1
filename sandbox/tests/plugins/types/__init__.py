"""Tests of the declared resource types, through the plugin's protocol against the emulator."""

import pytest

pytest.register_assert_rewrite(
    "sandbox.tests.plugins.types.played_engine", "sandbox.tests.plugins.types.facts"
)
