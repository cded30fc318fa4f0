"""`codecctl dashboard --web` as a whole: the command, a browser's websocket, and its end."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytest.importorskip("textual_serve", reason="needs the extra `web`")

import aiohttp

from ..dashboard_runs import make_run
from ..preview_files import write_item

pytestmark = pytest.mark.e2e

_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")


@contextmanager
def served(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command, and the address that it prints."""
    command = Path(sys.executable).with_name("codecctl")
    process = subprocess.Popen(
        [str(command), "dashboard", "--web"],
        env={**os.environ, "CODECCTL_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


async def seen(socket: aiohttp.ClientWebSocketResponse, words: bytes) -> bytes:
    """What the terminal was sent, without colors, until it holds some words."""
    text = b""
    while words not in text:
        message = await socket.receive(timeout=30)
        assert message.type is aiohttp.WSMsgType.BINARY, message
        text += _ESCAPES.sub(b"", message.data)
    return text


async def look(address: str) -> None:
    """Open the dashboard, press keys, and hear an item."""
    base = address.rstrip("/")
    async with aiohttp.ClientSession() as session:
        async with session.get(base.rsplit("/", 1)[0] + "/") as refused:
            assert refused.status == 403
        async with session.ws_connect(f"{base}/ws?width=120&height=40") as socket:
            await seen(socket, b"1 run")
            await socket.send_json(["stdin", "\r"])
            await seen(socket, b"Previews")
            await socket.send_json(["stdin", "3"])
            await seen(socket, b"B reconstruction \xc2\xb7 peak")
            await socket.send_json(["stdin", "w"])  # it may not steer
            await socket.send_json(["stdin", "h"])  # nor write files here
            await socket.send_json(["stdin", "p"])
            while True:
                message = await socket.receive(timeout=30)
                if message.type is aiohttp.WSMsgType.TEXT:
                    break
            kind, wanted = json.loads(message.data)
            assert kind == "open_url"
        url = f"{base}/{wanted['url'].partition('#')[0]}"
        async with session.get(url) as page:
            assert page.status == 200
            assert "run · step 20 · item-000" in await page.text()


def test_a_browser_with_the_token_sees_and_hears_and_changes_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "runs", "run")
    write_item(run, 20, channels=2)
    before = {path: path.stat().st_mtime_ns for path in run.rglob("*")}
    with served(tmp_path) as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{43}/", address)
        asyncio.run(asyncio.wait_for(look(address), 60))
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert "ssh -N -L " in err
    assert "Traceback" not in err
    assert address.rsplit("/", 2)[1] not in err
    assert process.returncode in (0, -signal.SIGTERM)
    assert {path: path.stat().st_mtime_ns for path in run.rglob("*")} == before
