"""Keeps web pages out: a browser on this machine reaches loopback, and the emulator asks nobody who they are.

A page can send simple cross-site requests anywhere, and read the answers too once its own name resolves to
127.0.0.1 (DNS rebinding). What it cannot do is hide the Host, Origin and Sec-Fetch-Site headers, which a
browser sets itself: https://developer.mozilla.org/docs/Glossary/Forbidden_request_header
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from cloudcommerce_sandbox.emulator.wire import Environ


def is_loopback(name: str) -> bool:
    """Whether a host's name or address can only mean this machine.

    That holds for everything under `localhost`, https://www.rfc-editor.org/rfc/rfc6761#section-6.3, where
    the clients of S3 put the bucket or the account in front of the name.

    Args:
        name: name or address, an IPv6 address without brackets.
    """
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def refusal(environ: Environ) -> str | None:
    """Returns why a request gets no answer, or None when a program on this machine may have sent it."""
    host = environ.get("HTTP_HOST", "")
    if not is_loopback(_name(host)):
        return f"Host is {host!r}; the emulator answers to 127.0.0.1, [::1] and localhost only"
    site = environ.get("HTTP_SEC_FETCH_SITE", "none")
    if "HTTP_ORIGIN" in environ or site != "none":
        return "the request has an Origin or a Sec-Fetch-Site header; the emulator answers no web pages"
    return None


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:  # brackets that hold no address
        return ""
