"""Routes without dependency resolution."""

import inspect
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute


class DirectRoute(APIRoute):
    """A route whose endpoint takes the request and returns the finished answer.

    Described like all others; but resolving parameters that it does not have would cost a tenth of an answer
    from the cache. The hook is FastAPI's own: https://fastapi.tiangolo.com/how-to/custom-request-and-route/
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The endpoint itself.

        Raises:
            TypeError: It takes more than the request, which nobody would give it.
        """
        parameters = list(inspect.signature(self.endpoint).parameters)
        if parameters != ["request"] or self.dependencies:
            raise TypeError(f"{self.path}: a direct route's endpoint takes `request` alone, not {parameters}")
        endpoint: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return endpoint
