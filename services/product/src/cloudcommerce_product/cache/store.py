"""Cache-aside: one loader at a time, stale answers while it loads, invalidation that no reader can undo."""

import asyncio
import logging
import random
import secrets
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from cloudcommerce_product import metrics
from cloudcommerce_product.cache.batch import BatchReader
from cloudcommerce_product.cache.entries import Entry, Generation, now_ms
from cloudcommerce_product.cache.held import HeldEntries

Load = Callable[[bool], Awaitable[bytes | None]]

_log = logging.getLogger(__name__)
_PREFIX = "product:"
_LOCK_MS = 3_000
_POLL_SECONDS = (0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.3, 0.5)
_REST_SECONDS = 1.0
_UNLOCK = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0"
_OUTAGE = (RedisError, OSError, TimeoutError)


@dataclass(frozen=True)
class CachePolicy:
    """How long answers live, in seconds, and where.

    Attributes:
        fresh: Served as they are; jittered by a tenth, so that what was loaded together is not due together.
        stale: After that, served while one request renews them.
        replica_lag: For so long after a change, loads read from the primary, which surely has it.
        held_bytes: How much this process keeps of what it read, in bytes.
    """

    fresh: float
    stale: float
    replica_lag: float
    held_bytes: int


class Cache:
    """Finished answers in Redis, grouped in scopes that are invalidated as a whole.

    Each scope has a generation, a random value of its own key. An entry carries the generation that its
    loader saw *before* it read the database and counts only while that is still the scope's: a loader that
    was overtaken by a write stores something that nobody will take. Redis being down costs speed only.

    Args:
        redis: Answers in bytes.
        policy: How long answers live.
    """

    def __init__(self, redis: Redis, policy: CachePolicy) -> None:
        self._redis = redis
        self._policy = policy
        self._reader = BatchReader(redis)
        self._held = HeldEntries(policy.held_bytes)
        self._unlock = redis.register_script(_UNLOCK)
        self._loading: dict[tuple[str, bytes], asyncio.Task[Entry | None]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._rests_until = 0.0
        self._pending: set[str] = set()

    async def get(self, kind: str, scope: str, key: str, load: Load) -> Entry | None:
        """The answer for a key, from Redis or from `load`.

        Args:
            kind: For the metrics.
            scope: What invalidates it.
            key: What makes it different from others of its kind.
            load: Reads the database, the primary if told so; None means that there is nothing, which is
                never cached. Several callers may share one run of it.
        """
        entry_key = f"{_PREFIX}entry:{kind}:{key}"
        if time.monotonic() < self._rests_until or scope in self._pending:
            return await self._without_redis(kind, scope, load)
        try:
            generation, entry = await self._find(scope, entry_key)
        except _OUTAGE as error:
            self._rest(error)
            return await self._without_redis(kind, scope, load)
        if entry is None:
            metrics.cache_counter(kind, "miss").inc()
            return await self._shared(entry_key, generation, load)
        if entry.fresh_until > now_ms():
            metrics.cache_counter(kind, "hit").inc()
            return entry
        metrics.cache_counter(kind, "stale").inc()
        if (entry_key, generation.raw) not in self._loading:
            self._start(entry_key, generation, self._renew(entry_key, generation, entry, load))
        return entry

    async def invalidate(self, *scopes: str) -> None:
        """Make everything in these scopes invalid; call it once the change is committed.

        While Redis does not answer, this process remembers, reads past the cache and tries on; another
        process may serve what it has until that runs out (`fresh` + `stale`).
        """
        self._pending.update(scopes)
        try:
            await self._flush_pending()
        except _OUTAGE as error:
            # Again: a flush that ran beside this one may have taken them out.
            self._pending.update(scopes)
            metrics.PENDING_INVALIDATIONS.set(len(self._pending))
            self._rest(error)
            self._in_background(self._flush_later())

    async def ping(self) -> None:
        """Raise unless Redis answers."""
        await self._redis.ping()

    async def close(self) -> None:
        """Stop what runs in the background and close the connections."""
        tasks = [*self._background, *self._loading.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._redis.aclose()

    async def _find(self, scope: str, key: str) -> tuple[Generation, Entry | None]:
        """The scope's generation as it is now, and the entry of that one."""
        held = self._held.fresh(key)
        if held is not None:
            raw, entry = held
            if await self._reader.values(_generation_key(scope)) == (raw,):
                return Generation(raw), entry
            self._held.drop(key)
        raw_generation, raw_entry = await self._reader.values(_generation_key(scope), key)
        generation = Generation.parse(raw_generation) or await self._begin(scope)
        found = Entry.parse(raw_entry, generation)
        if found is not None:
            self._held.keep(key, generation, found)
        return generation, found

    async def _begin(self, scope: str) -> Generation:
        new = Generation.new()
        stored = await self._redis.set(_generation_key(scope), new.raw, nx=True, get=True)
        return Generation.parse(stored) or new

    async def _shared(self, key: str, generation: Generation, load: Load) -> Entry | None:
        # Under its generation: who comes after a write must not share a load that began before it.
        task = self._loading.get((key, generation.raw))
        if task is None:
            task = self._start(key, generation, self._fill(key, generation, load))
        return await asyncio.shield(task)

    async def _without_redis(self, kind: str, scope: str, load: Load) -> Entry | None:
        metrics.cache_counter(kind, "bypass").inc()
        body = await load(scope in self._pending)
        return None if body is None else Entry.of(body)

    def _start(
        self, key: str, generation: Generation, work: Coroutine[Any, Any, Entry | None]
    ) -> asyncio.Task[Entry | None]:
        place = (key, generation.raw)
        task = asyncio.create_task(work)
        self._loading[place] = task
        task.add_done_callback(lambda done: self._finished(place, done))
        return task

    def _finished(self, place: tuple[str, bytes], task: asyncio.Task[Entry | None]) -> None:
        self._loading.pop(place, None)
        if not task.cancelled() and (error := task.exception()):
            _log.debug("a load failed", extra={"cause": type(error).__name__})

    async def _fill(self, key: str, generation: Generation, load: Load) -> Entry | None:
        """Load, or wait for the process that already does."""
        try:
            token, entry = await self._lock(key, generation)
            if entry is None and token is None:
                entry = await self._await_other(key, generation)
        except _OUTAGE as error:
            self._rest(error)
            token = entry = None
        if entry is None:
            return await self._load(key, generation, load, token)
        if token is not None:
            await self._release(key, generation, token)
        return entry

    async def _renew(self, key: str, generation: Generation, stale: Entry, load: Load) -> Entry | None:
        """Load behind a stale answer, unless another process does."""
        try:
            token, _ = await self._lock(key, generation)
        except _OUTAGE as error:
            self._rest(error)
            return stale
        return stale if token is None else await self._load(key, generation, load, token)

    async def _load(self, key: str, generation: Generation, load: Load, token: str | None) -> Entry | None:
        from_primary = now_ms() - generation.milliseconds < self._policy.replica_lag * 1000
        try:
            body = await load(from_primary)
            if body is None:
                return None
            fresh_ms = int(self._policy.fresh * 1000 * random.uniform(0.9, 1.1))  # noqa: S311 - jitter
            entry = Entry.of(body, now_ms() + fresh_ms)
            await self._store(key, generation, entry, fresh_ms)
            return entry
        finally:
            if token is not None:
                await self._release(key, generation, token)

    async def _store(self, key: str, generation: Generation, entry: Entry, fresh_ms: int) -> None:
        lifetime = fresh_ms + int(self._policy.stale * 1000)
        try:
            await self._redis.set(key, entry.pack(generation), px=lifetime)
        except _OUTAGE as error:
            self._rest(error)

    async def _lock(self, key: str, generation: Generation) -> tuple[str | None, Entry | None]:
        """Try to become the only loader.

        Returns:
            The lock's token, None where another process holds it; and what an earlier holder stored between
            the caller's look and now.
        """
        token = secrets.token_hex(8)
        async with self._redis.pipeline(transaction=False) as commands:
            commands.set(_lock_key(key, generation), token, nx=True, px=_LOCK_MS)
            commands.get(key)
            taken, raw = await commands.execute()
        return token if taken else None, Entry.parse(raw, generation)

    async def _release(self, key: str, generation: Generation, token: str) -> None:
        try:
            await self._unlock(keys=[_lock_key(key, generation)], args=[token])
        except _OUTAGE as error:
            self._rest(error)

    async def _await_other(self, key: str, generation: Generation) -> Entry | None:
        for pause in _POLL_SECONDS:
            await asyncio.sleep(pause)
            entry = Entry.parse(await self._redis.get(key), generation)
            if entry is not None:
                return entry
        return None

    async def _flush_pending(self) -> None:
        scopes = sorted(self._pending)
        await self._redis.mset({_generation_key(scope): Generation.new().raw for scope in scopes})
        self._pending.difference_update(scopes)
        metrics.PENDING_INVALIDATIONS.set(len(self._pending))

    async def _flush_later(self) -> None:
        while self._pending:
            await asyncio.sleep(random.uniform(0.2, 0.6))  # noqa: S311 - jitter
            try:
                await self._flush_pending()
            except _OUTAGE:
                continue

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    def _rest(self, error: BaseException) -> None:
        # Without a rest, each request would wait for its own time-out.
        if time.monotonic() >= self._rests_until:
            _log.warning(
                "Redis does not answer; reading past the cache", extra={"cause": type(error).__name__}
            )
        self._rests_until = time.monotonic() + _REST_SECONDS


def _generation_key(scope: str) -> str:
    return f"{_PREFIX}generation:{scope}"


def _lock_key(key: str, generation: Generation) -> str:
    return f"{key.replace(':entry:', ':lock:', 1)}:{generation.raw.hex()}"
