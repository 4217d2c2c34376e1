"""What moto lacks, loaded into moto."""

from __future__ import annotations

from cloudcommerce_sandbox.emulator.extensions.registry import EXTENSIONS, install

__all__ = ["EXTENSIONS", "install"]
