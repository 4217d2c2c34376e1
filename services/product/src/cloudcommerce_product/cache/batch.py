"""Gathers the look-ups of concurrent requests into one command to Redis."""

import asyncio

from redis.asyncio import Redis

_MOST_PER_COMMAND = 128
# What Redis answers; bytes, or None, as this client is set up.
_Pair = tuple[object, object]


class BatchReader:
    """Reads pairs of keys; while one command is under way, the next one gathers.

    The cost of a command in this process is far higher than that of a key in it, so that under load many
    requests share what one of them would pay alone. An idle service sends each look-up at once.

    Args:
        redis: Answers in bytes.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._waiting: list[tuple[tuple[str, str], asyncio.Future[_Pair]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def pair(self, first: str, second: str) -> _Pair:
        """The values of two keys, read at one instant.

        Raises:
            redis.RedisError: Where Redis does not answer.
        """
        future: asyncio.Future[_Pair] = asyncio.get_running_loop().create_future()
        self._waiting.append(((first, second), future))
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

    async def _send_one(self, batch: list[tuple[tuple[str, str], asyncio.Future[_Pair]]]) -> None:
        try:
            values = await self._redis.mget([key for pair, _ in batch for key in pair])
        except Exception as error:  # noqa: BLE001 - every waiter gets it, whatever it is
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for index, (_, future) in enumerate(batch):
            if not future.done():
                future.set_result((values[2 * index], values[2 * index + 1]))
