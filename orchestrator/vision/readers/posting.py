"""Calls of remote models over HTTP: bounded in bytes and time, and a key that goes nowhere else.

The key is read from the environment when it is needed and kept nowhere. Of what a server says about an
error only the status goes on: some quote the key.
"""

from __future__ import annotations

import asyncio
import math
import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from orchestrator.vision.model import ReaderError

if TYPE_CHECKING:
    import httpx

AFTER_S_MAX = 3600.0
CONNECT_S_MAX = 5.0


class Poster:
    """One server. Raises `ReaderError` alone; see `ReaderError` for the kinds."""

    def __init__(
        self,
        timeout_s: float,
        key_env: str,
        mends: Mapping[int, str],
        *,
        ca_file: str = "",
        proxy_from_environment: bool = False,
    ) -> None:
        """`mends`: status -> what to look at."""
        self._timeout_s, self._key_env, self._mends = timeout_s, key_env, mends
        self._ca_file, self._proxies = ca_file, proxy_from_environment
        self._client: tuple[asyncio.AbstractEventLoop, httpx.AsyncClient] | None = None

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], bytes_max: int
    ) -> tuple[bytes, Mapping[str, str]]:
        """Body and headers of a reply to a call that succeeded."""
        import httpx  # noqa: PLC0415

        sent = {**headers, "accept-encoding": "identity", **self._key()}
        try:
            async with self._connected().stream("POST", url, content=body, headers=sent) as reply:
                self._check(reply.status_code, reply.headers.get("retry-after", ""))
                parts, size = [], 0
                async for part in reply.aiter_raw():
                    parts.append(part)
                    size += len(part)
                    if size > bytes_max:
                        raise ReaderError("schema", f"a reply of more than {bytes_max} bytes")
                return b"".join(parts), reply.headers
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.PoolTimeout,
            httpx.ProxyError,
        ) as error:
            raise ReaderError("offline", f"no connection ({type(error).__name__})") from None
        except httpx.TimeoutException as error:
            raise ReaderError("timeout", f"no reply in time ({type(error).__name__})") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ReaderError("broken", f"the call broke off ({type(error).__name__})") from None

    async def warm(self) -> None:
        """Load what a call needs, and connect to nobody."""
        self._connected()

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None and self._client[0] is asyncio.get_running_loop():
            await self._client[1].aclose()
        self._client = None

    def _key(self) -> dict[str, str]:
        if not self._key_env:
            return {}
        key = os.environ.get(self._key_env, "").strip()
        if not key:
            raise ReaderError("refused", f"no key -> set the environment variable {self._key_env}")
        if not (key.isascii() and key.isprintable()):
            raise ReaderError("refused", f"what {self._key_env} holds is no key -> set it anew")
        return {"authorization": f"Bearer {key}"}

    def _connected(self) -> httpx.AsyncClient:
        """One client per event loop; connections are kept."""
        import httpx  # noqa: PLC0415

        loop = asyncio.get_running_loop()
        if self._client is None or self._client[0] is not loop:
            verify: ssl.SSLContext | bool = True
            if self._ca_file:
                verify = ssl.create_default_context(cafile=self._ca_file)
            client = httpx.AsyncClient(
                timeout=httpx.Timeout(self._timeout_s, connect=min(CONNECT_S_MAX, self._timeout_s)),
                verify=verify,
                follow_redirects=False,  # the key goes nowhere else
                trust_env=self._proxies,
            )
            self._client = loop, client
        return self._client[1]

    def _check(self, status: int, retry_after: str) -> None:
        """Raises what a status means."""
        if status == 200:
            return
        text = f"the server answered with status {status}"
        after_s = seconds_of(retry_after)
        if status in (429, 503):  # too many wait already, or the model is being loaded
            raise ReaderError("limited", text, after_s)
        if status in (408, 504):
            raise ReaderError("timeout", text)
        if status >= 500:
            raise ReaderError("broken", text, after_s)
        other = "give the final `url`" if 300 <= status < 400 else "look at `url`"
        raise ReaderError("refused", f"{text} -> {self._mends.get(status, other)}")


def seconds_of(retry_after: str) -> float:
    """A Retry-After header: seconds or a date; 0 where it is neither."""
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError, OverflowError):
            return 0.0
    return 0.0 if math.isnan(seconds) else min(max(seconds, 0.0), AFTER_S_MAX)
