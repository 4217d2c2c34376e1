"""Gathers the look-ups of concurrent requests into one command to Redis."""

import asyncio

from redis.asyncio import Redis

_MOST_PER_COMMAND = 128
# What Redis answers; bytes, or None, as this client is set up.
_Values = tuple[object, ...]


class BatchReader:
    """Reads keys; while one command is under way, the next one gathers.

    The cost of a command in this process is far higher than that of a key in it, so that under load many
    requests share what one of them would pay alone. An idle service sends each look-up at once.

    Args:
        redis: Answers in bytes.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: list[tuple[tuple[str, ...], asyncio.Future[_Values]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def values(self, *keys: str) -> _Values:
        """The values of keys, read at one instant, which is after the call.

        Raises:
            redis.RedisError: Where Redis does not answer.
        """
        future: asyncio.Future[_Values] = asyncio.get_running_loop().create_future()
        self._waiting.append((keys, future))
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        return await future

    async def _send(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[:_MOST_PER_COMMAND], self._waiting[_MOST_PER_COMMAND:]
                await self._send_one(batch)
        finally:
            self._sender = None

    async def _send_one(self, batch: list[tuple[tuple[str, ...], asyncio.Future[_Values]]]) -> None:
        # Those who ask for the same share it: a popular search is read once a command.
        names = list(dict.fromkeys(key for keys, _ in batch for key in keys))
        try:
            values = dict(zip(names, await self._redis.mget(names), strict=True))
        except Exception as error:  # noqa: BLE001 - every waiter gets it, whatever it is
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for keys, future in batch:
            if not future.done():
                future.set_result(tuple(values[key] for key in keys))
