"""Property values on the wire of Pulumi's provider protocol, as plain Python trees and back.

The engine sends property bags as protobuf Structs in which secrets, assets and archives are objects with a
marker key and unknown values are one magic string; components get values with what they depend on besides.
See
https://github.com/pulumi/pulumi/blob/master/sdk/proto/provider-protocol.md and the SDK's
`pulumi.runtime.rpc`.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.request import urlopen

from google.protobuf import struct_pb2

_SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
_CONFIDENTIAL: Final = "1b47061264138c4ac30d75fd1eb44270"
_ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
_ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
_OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
_UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_ZIP_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


class Unknown:
    """The type of `UNKNOWN`."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()
"""Stands in preview for a value that only the creation of another resource will tell."""


@dataclass(frozen=True)
class Secret:
    """A value the engine encrypts in its state and masks on the screen."""

    value: Any

    def __repr__(self) -> str:
        return "Secret(…)"


@dataclass(frozen=True)
class Asset:
    """A file or an archive that a program gives to a resource, in the engine's own description.

    Attributes:
        description: The object as it came over the wire, to be kept in state unchanged.
    """

    description: Mapping[str, Any]

    @property
    def hash(self) -> str:
        """The engine's content hash: two assets with the same hash are the same."""
        return str(self.description.get("hash", ""))

    def read(self) -> bytes:
        """Return the content; an archive comes as a zip file that is equal byte for byte for equal content.

        Raises:
            OSError: A file or URI of the asset can't be read.
        """
        if "text" in self.description:
            return str(self.description["text"]).encode()
        if self.description.get("path"):
            return _read_path(Path(str(self.description["path"])))
        if self.description.get("uri"):
            return _read_uri(str(self.description["uri"]))
        return _zip({name: _content(part) for name, part in (self.description.get("assets") or {}).items()})


def _content(part: Any) -> bytes:
    return part.read() if isinstance(part, Asset) else str(part).encode()


def _read_uri(uri: str) -> bytes:
    with urlopen(uri, timeout=60) as answer:  # noqa: S310 - the program's author chose the URI
        content: bytes = answer.read()
        return content


def _read_path(path: Path) -> bytes:
    if not path.is_dir():
        return path.read_bytes()
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return _zip({str(file.relative_to(path)): file.read_bytes() for file in files})


def _zip(files: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, date_time=_ZIP_EPOCH)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[name])
    return target.getvalue()


def decode(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Turn a property bag into Python values, with `Secret`, `UNKNOWN` and `Asset` in their places."""
    return {key: _decode(value) for key, value in struct.fields.items()}


def _decode(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == _UNKNOWN else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_decode(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _decode_object(value.struct_value)
    return None


def _decode_object(struct: struct_pb2.Struct) -> Any:
    fields = struct.fields
    signature = fields[_SIGNATURE].string_value if _SIGNATURE in fields else ""
    if signature == _CONFIDENTIAL:
        return Secret(_decode(fields["value"]))
    table = {key: _decode(value) for key, value in fields.items()}
    if signature == _OUTPUT:
        value = table.get("value", UNKNOWN)
        return Secret(value) if table.get("secret") else value
    return Asset(table) if signature in (_ASSET, _ARCHIVE) else table


def encode(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Turn Python values into a property bag; None values are left out."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        if value is not None:
            _encode(value, struct.fields[key])
    return struct


def _encode(value: Any, target: struct_pb2.Value) -> None:
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Unknown):
        target.string_value = _UNKNOWN
    elif isinstance(value, list | tuple):
        _encode_list(value, target)
    else:
        _encode_object(value, target)


def _encode_list(items: list[Any] | tuple[Any, ...], target: struct_pb2.Value) -> None:
    target.list_value.SetInParent()
    for item in items:
        _encode(item, target.list_value.values.add())


def _encode_object(value: Any, target: struct_pb2.Value) -> None:
    if isinstance(value, Secret):
        value = {_SIGNATURE: _CONFIDENTIAL, "value": value.value}
    elif isinstance(value, Asset):
        value = value.description
    target.struct_value.SetInParent()
    for key, item in value.items():
        _encode(item, target.struct_value.fields[key])


def reveal(tree: Any) -> Any:
    """Return the tree without `Secret` wrappers, for the API. The result must never be logged."""
    if isinstance(tree, Secret):
        return reveal(tree.value)
    if isinstance(tree, dict):
        return {key: reveal(value) for key, value in tree.items()}
    if isinstance(tree, list):
        return [reveal(item) for item in tree]
    return tree


def has_secret(tree: Any) -> bool:
    """Whether a `Secret` is anywhere in the tree."""
    if isinstance(tree, dict):
        return any(has_secret(value) for value in tree.values())
    if isinstance(tree, list):
        return any(has_secret(item) for item in tree)
    return isinstance(tree, Secret)


def has_unknown(tree: Any) -> bool:
    """Whether a value not yet known is anywhere in the tree."""
    if isinstance(tree, Secret):
        return has_unknown(tree.value)
    if isinstance(tree, dict):
        return any(has_unknown(value) for value in tree.values())
    if isinstance(tree, list):
        return any(has_unknown(item) for item in tree)
    return tree is UNKNOWN
