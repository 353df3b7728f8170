"""The page in a real browser. Needs playwright and a Chromium; skipped with the reason otherwise."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from small_run import wait_for

pytestmark = pytest.mark.browser
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def address(run_file: Path) -> Iterator[str]:
    """A served run."""
    import uvicorn  # noqa: PLC0415

    from orchestrator.web.app import create_app  # noqa: PLC0415

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = uvicorn.Config(
        create_app(run_file), host="127.0.0.1", port=port, log_level="error",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}/"
    server.should_exit = True
    thread.join(5)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    path = path or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page, loaded; no error may have reached the console by the end."""
    tab = browser.new_page(viewport={"width": 1200, "height": 800})
    wrong: list[str] = []
    tab.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.goto(address)
    tab.wait_for_selector("#cover[data-off]", state="attached")
    yield tab
    tab.close()
    assert wrong == []


def test_floor_and_robots_are_drawn(page: Any) -> None:
    colours = """id => { const c = document.getElementById(id);
      const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
      const seen = new Set();
      for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 16 | d[i+1] << 8 | d[i+2]);
      return seen.size; }"""
    page.wait_for_timeout(300)
    assert page.evaluate(colours, "floor") > 5
    assert page.evaluate(colours, "map") > 3


def test_seek_changes_the_time_shown(page: Any) -> None:
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowRight")
    wait_for(lambda: page.inner_text("#time") >= "0:01:00")
    before = page.inner_text("#time")
    page.keyboard.press("ArrowRight")
    wait_for(lambda: page.inner_text("#time") > before)
    assert page.get_attribute("#play", "aria-label") == "Play"


def test_a_robot_can_be_looked_at(page: Any) -> None:
    page.fill("#find", "tote_amr-02")
    page.wait_for_selector("#detail h2")
    assert page.inner_text("#detail h2") == "tote_amr-02"
    page.locator("#map").focus()
    page.keyboard.press("Escape")
    assert page.locator("#detail").is_hidden()


def test_orders_and_theme(page: Any) -> None:
    page.keyboard.press("End")
    page.get_by_role("tab", name="Set aside").click()
    page.wait_for_selector("text=no unit left")
    before = page.evaluate("document.documentElement.dataset.theme")
    page.get_by_label("Switch between light and dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") != before


def test_every_control_has_a_name(page: Any) -> None:
    nameless = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, canvas[tabindex]')].filter(
          e => !(e.ariaLabel || e.textContent.trim() || e.labels?.[0]?.textContent.trim())).length"""
    )
    assert nameless == 0
