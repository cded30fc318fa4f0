"""Who may ask the server of `dashboard --web` for anything: whoever knows the token.

The token is the first part of every address, http://127.0.0.1:8000/TOKEN/..., and in no cookie:
a cookie of 127.0.0.1 goes to every port of that host, so to the servers of others on it as well.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_TOKEN_BYTES = 32
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}
_POLICY = (
    "default-src 'none'; connect-src 'self' ws://{host}; font-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; frame-src 'self'; "
    "script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'self'"
)


def new_token() -> str:
    """256 random bits as 43 characters of a URL."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def gate(token: str) -> Middleware:
    """A middleware that answers 403 to every request whose address does not begin with the token.

    Args:
        token: See `new_token`.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        given = request.path.removeprefix("/").partition("/")[0]
        # Its time does not tell where the two differ; bytes, as it refuses text beyond ASCII.
        if not hmac.compare_digest(given.encode(errors="replace"), token.encode()):
            raise web.HTTPForbidden(text="codecctl: this address needs the token it printed\n")
        if not _same_origin(request):
            raise web.HTTPForbidden(text="codecctl: asked for by another page\n")
        return await handler(request)

    return guard


def _same_origin(request: web.Request) -> bool:
    """Whether a page of this server asks, or no page at all: a browser names it for websockets."""
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2] == request.host


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Forbid the browser to keep what it gets and to ask any other host for anything."""
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = _POLICY.format(host=request.host)
