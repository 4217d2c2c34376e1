"""Says which operations are moto's own and which are ours, so that nobody reads ours as moto's."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from cloudcommerce_sandbox.emulator import extensions, guards


def provenance() -> dict[str, Any]:
    """Returns moto's version and, by service, what we add, what we correct and what we refuse.

    A service that is not listed is moto's alone. The lists are read off the loaded code, so they cannot go
    stale.
    """
    services: dict[str, dict[str, list[Any]]] = {}
    for extension in extensions.EXTENSIONS:
        services[extension.service] = {
            "added": extension.added(),
            "corrected": extension.corrected(),
            "refused": [],
        }
    for rule in guards.RULES:
        entry = services.setdefault(rule.service, {"added": [], "corrected": [], "refused": []})
        entry["refused"].append(
            {"rule": rule.name, "operations": list(rule.operations), "source": rule.source}
        )
    return {"moto": version("moto"), "services": dict(sorted(services.items()))}
