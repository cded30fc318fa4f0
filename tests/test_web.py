"""The server of `dashboard --web`: who may ask, what they get, and what nobody gets."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

pytest.importorskip("textual_serve", reason="needs the extra `web`")

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from yarl import URL

from codecctl.commands import dashboard as command
from codecctl.dashboard.heard import Ears
from codecctl.dashboard.listening_page import PageRequest, address_of
from codecctl.dashboard.views import Preview
from codecctl.errors import UsageError
from codecctl.web import server as web_server
from codecctl.web.gate import new_token
from codecctl.web.server import HOST, DashboardServer, open_port

from .dashboard_runs import make_run
from .preview_files import write_item

pytestmark = pytest.mark.long

TOKEN = "a-token-of-a-test"
Client: TypeAlias = TestClient[web.Request, web.Application]


@asynccontextmanager
async def client(runs: Path, *, line: str = "false") -> AsyncIterator[Client]:
    server = DashboardServer(line, runs=runs, token=TOKEN)
    async with TestClient(TestServer(server.application(), host=HOST)) as opened:
        yield opened


async def status_of(opened: Client, path: str, **options: object) -> int:
    """Of a path exactly as it is written: no dots are folded and nothing is quoted."""
    url = URL(f"http://{HOST}:{opened.port}{path}", encoded=True)
    async with opened.session.get(url, allow_redirects=False, **options) as response:  # type: ignore[arg-type]
        return response.status


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/ws",
        "/static/js/textual.js",
        "/download/x",
        f"/{TOKEN[:-1]}/",
        f"/{TOKEN}x/",
        f"/x/{TOKEN}/",
        f"/?token={TOKEN}",
        f"/{TOKEN.upper()}/",
        f"/%00{TOKEN}/",
        f"/\N{LATIN SMALL LETTER E WITH ACUTE}{TOKEN}/",
        f"//{TOKEN}/",
    ],
)
async def test_nothing_is_answered_without_the_token(tmp_path: Path, path: str) -> None:
    async with client(tmp_path) as opened:
        assert await status_of(opened, path.encode().decode("latin-1")) in (400, 403)


async def test_the_terminal_is_refused_without_the_token_and_to_other_pages(
    tmp_path: Path,
) -> None:
    async with client(tmp_path) as opened:
        for path, headers in (
            ("/ws", {}),
            (f"/{TOKEN}x/ws", {}),
            (f"/{TOKEN}/ws", {"Origin": "http://elsewhere.example"}),
            (f"/{TOKEN}/ws", {"Origin": "null"}),
            (f"/{TOKEN}/ws", {"Origin": f"http://{HOST}:1"}),
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await opened.ws_connect(path, headers=headers)
            assert refused.value.status == 403


async def test_the_page_and_its_parts_come_from_here_and_ask_nobody_else(tmp_path: Path) -> None:
    async with client(tmp_path) as opened:
        assert await status_of(opened, f"/{TOKEN}") == 302
        async with opened.get(f"/{TOKEN}/") as response:
            text = await response.text()
            headers = response.headers
        assert "https://" not in text
        assert "http://" not in text
        parts = re.findall(r'(?:src|href)="([^":]+)"|url\("([^"]+)"\)', text)
        names = [one or other for one, other in parts]
        assert len(names) == 4
        for name in names:
            assert await status_of(opened, f"/{TOKEN}/{name}") == 200, name
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; connect-src 'self' ws://127.0.0.1:")
    assert "http:" not in policy
    assert "*" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "static/",
        "static/js/",
        "static/../server.py",
        "static/%2e%2e/server.py",
        "static/..%2fserver.py",
        "static//etc/passwd",
        "static/js/../../server.py",
        "download/none",
        "listen/run/20",
        "listen/run/20/item-009",
        "listen/run/9/item-000",
        "listen/other/20/item-000",
        "listen/run/20/..%2freference%2fitem-000",
        "listen/..%2fruns%2frun/20/item-000",
        "listen/%2e%2e/20/item-000",
        "listen/run/-1/item-000",
        "listen/run/20/item-000?channel=x",
        "listen/run/20/item-000?azimuth=1e999",
        "listen/run/20/item-000?azimuth=90",
        "listen/run/20/broken",
        "listen/run/20/outside",
    ],
)
async def test_hostile_addresses_find_nothing(tmp_path: Path, path: str) -> None:
    run = make_run(tmp_path / "runs", "run")
    write_item(run, 20, channels=2)
    step = run / "previews" / "step-000000020"
    (step / "broken.wav").write_bytes(b"RIFF")
    (step / "outside.wav").symlink_to("/etc/passwd")
    async with client(tmp_path / "runs") as opened:
        assert await status_of(opened, f"/{TOKEN}/{path}") in (403, 404)


async def test_an_item_is_heard_through_the_server(tmp_path: Path) -> None:
    run = make_run(tmp_path, "run")
    write_item(run, 20, channels=2)
    async with client(tmp_path) as opened:
        url = f"/{TOKEN}/listen/run/20/item-000?channel=2"
        async with opened.get(url) as response:
            assert response.status == 200
            assert "run · step 20 · item-000" in await response.text()
            assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_windows_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_server, "MAX_WINDOWS", 0)
    async with client(tmp_path) as opened:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await opened.ws_connect(f"/{TOKEN}/ws")
        assert refused.value.status == 503


def test_a_taken_port_is_one_line_and_zero_takes_another() -> None:
    with open_port(0) as first:
        number = first.getsockname()[1]
        assert first.getsockname()[0] == HOST
        with pytest.raises(UsageError, match=rf"--port: {number} on 127\.0\.0\.1: Address already"):
            open_port(number)
        with open_port(0) as second:
            assert second.getsockname()[1] != number


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}
    assert all(re.fullmatch(r"[\w-]+", token) for token in tokens)


def test_the_browser_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "codecctl.web.server")
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    with pytest.raises(UsageError, match=r"pip install 'codecctl\[web\]'"):
        command.dashboard(web=True)


@pytest.mark.parametrize(("steer", "forbidden"), [(False, True), (True, False)])
def test_the_command_prints_where_and_changes_nothing_unless_it_is_told_so(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    steer: bool,
    forbidden: bool,
) -> None:
    served: list[DashboardServer] = []

    def serve(self: DashboardServer, listening: socket.socket) -> None:
        assert listening.getsockname()[0] == HOST
        served.append(self)

    monkeypatch.setattr(DashboardServer, "serve_on", serve)
    monkeypatch.chdir(tmp_path)
    command.dashboard(web=True, steer=steer)
    assert served[0].command.endswith(" --read-only") is forbidden
    out, err = capsys.readouterr()
    match = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/([\w-]{43})/\n", out)
    assert match
    assert f"ssh -N -L {match[1]}:127.0.0.1:{match[1]} " in err
    assert match[2] not in served[0].command  # other users see command lines
    assert ("steer" in err) is steer


def test_an_address_is_read_back_as_it_was_written() -> None:
    preview = Preview(20, "item-000.swap", "", "")
    for ears in (
        Ears(),
        Ears(channel=4),
        Ears(direction=(-90.0, 30.0)),
    ):
        url = URL(address_of(preview, "a run#1/x", ears))
        _, run, step, item = url.parts
        parts = {"run": run, "step": step, "item": item}
        wanted = PageRequest.parse(parts, url.query)
        assert wanted == PageRequest("a run#1/x", 20, "item-000.swap", ears)
