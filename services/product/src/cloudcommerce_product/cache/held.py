"""Entries that this process keeps, so that their bytes need not come from Redis again."""

from collections import OrderedDict

from cloudcommerce_product.cache.entries import Entry, Generation, now_ms

_LARGEST_SHARE = 16


class HeldEntries:
    """The latest used entries within a number of bytes.

    They are no cache of their own: whether one still counts, its scope's generation in Redis says, which is
    read for each request. What is spared is carrying the body.

    Args:
        limit: Bytes of all bodies together; one body may have a sixteenth of them.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._entries: OrderedDict[str, tuple[bytes, Entry]] = OrderedDict()

    def fresh(self, key: str) -> tuple[bytes, Entry] | None:
        """The entry with the generation that it belongs to; None where there is none, or a stale one."""
        held = self._entries.get(key)
        if held is None or held[1].fresh_until <= now_ms():
            return None
        self._entries.move_to_end(key)
        return held

    def keep(self, key: str, generation: Generation, entry: Entry) -> None:
        """Hold an entry in place of what the key had; those unused for longest make room."""
        self.drop(key)
        if len(entry.body) * _LARGEST_SHARE > self._limit:
            return
        self._entries[key] = (generation.raw, entry)
        self._size += len(entry.body)
        while self._size > self._limit:
            self.drop(next(iter(self._entries)))

    def drop(self, key: str) -> None:
        """Forget an entry."""
        held = self._entries.pop(key, None)
        if held is not None:
            self._size -= len(held[1].body)
