"""The web room's front door: `create_app` and `serve`."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import threading
import webbrowser
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from orchestrator.journal import RunFileError
from orchestrator.web import api, socket
from orchestrator.web.library import Library

STATIC = Path(__file__).parent / "static"
LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "testserver"]
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
FRAME_BYTES_MAX = 4096  # of what a viewer may send


def create_app(runs: Path, *, loopback: bool = True) -> FastAPI:
    """An app over one run file or a folder of them. With `loopback` it answers to local names only,
    so that no page from elsewhere can reach it through a name of its own."""
    library = Library(runs)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(library.watch())
        yield
        watching.cancel()

    app = FastAPI(
        title="Lightsout", version="1", lifespan=lifespan, redoc_url=None, docs_url=None,
        description="Live and recorded runs of a warehouse. Times are seconds since the run began.",
    )  # fmt: skip
    app.state.library = library
    app.state.viewers = 0
    if loopback:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=LOOPBACK)
    app.middleware("http")(_guarded)
    app.include_router(api.router)
    app.include_router(socket.router)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.get("/", include_in_schema=False)(_page)
    return app


async def _guarded(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        response = await go_on(request)
    except api.NotThere as error:
        response = JSONResponse({"detail": str(error)}, status_code=404)
    except RunFileError as error:
        response = JSONResponse({"detail": f"{error.what} -> {error.mend}"}, status_code=503)
    response.headers.update(HEADERS)
    return response


async def _page() -> FileResponse:
    return FileResponse(STATIC / "index.html")


def serve(
    runs: Path,
    host: str = "127.0.0.1",
    port: int = 8750,
    open_browser: bool = False,
    query: str = "",
) -> None:
    """Serve until interrupted. Anybody who reaches another host than the loopback may look. The
    browser is opened with `query`, as `?t=90`."""
    import uvicorn  # noqa: PLC0415

    app = create_app(runs, loopback=is_loopback(host))
    config = uvicorn.Config(
        app, host=host, port=port, log_level="warning", ws_max_size=FRAME_BYTES_MAX,
        ws_max_queue=8, ws_ping_interval=20, ws_ping_timeout=20, limit_concurrency=200,
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    if open_browser:
        address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}/{query}"
        threading.Timer(1.0, webbrowser.open, [address]).start()
    uvicorn.Server(config).run()


def is_loopback(host: str) -> bool:
    """Does this address stay on the machine?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
