from __future__ import annotations

import contextlib
import importlib.util
import math
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import pytest
import soundfile

from codecctl.engine.prepare import tracker_settings
from codecctl.engine.profile import load_profile
from codecctl.engine.rundir import RunDirectory, read_json
from codecctl.engine.tracking import TrackerSettings, require_packages, start_trackers
from codecctl.engine.wandb_mirror import choose_mode
from codecctl.errors import ProfileError

OFFLINE = TrackerSettings(mode="offline", project="toys", name="a toy")


def _run(folder: Path) -> RunDirectory:
    run = RunDirectory.create(folder / "a run")
    run.write_json("profile.json", {"profile": {"mode": "toy", "data": {"rate": 24000}}})
    run.write_json("environment.json", {"host": "here", "store": {"recordings": 16}})
    return run


def _metric(run: RunDirectory, step: int, value: float) -> None:
    values = {"loss/mel": value}
    run.metric(step, "train", values, epoch=1, seconds=1.0, audio_seconds=1.0)


def _records(run: Path) -> str:
    (file,) = run.glob("wandb/offline-run-*/run-*.wandb")
    return file.read_bytes().decode("latin-1")


@pytest.mark.long
def test_an_offline_run_holds_rows_and_profile_and_names_the_command_that_sends_it(
    tmp_path: Path,
) -> None:
    run = _run(tmp_path)
    trackers = start_trackers(run.path, OFFLINE)
    _metric(run, 1, 0.123456)
    _metric(run, 2, math.nan)
    run.close()

    notes = trackers.finish(60)

    (folder,) = (run.path / "wandb").glob("offline-run-*")
    assert notes == (f"wandb: send it with: wandb sync {folder}",)
    records = _records(run.path)
    for wanted in ("loss/mel", "0.123456", "NaN", '"rate": 24000', '"recordings": 16'):
        assert wanted in records or wanted.replace(" ", "") in records, wanted
    assert read_json(run.path / "wandb.json")["finished"] is True


@pytest.mark.e2e
def test_previews_are_sent_as_audio(tmp_path: Path) -> None:
    run = _run(tmp_path)
    trackers = start_trackers(run.path, OFFLINE)
    folder = run.path / "previews" / "step-000000500"
    folder.mkdir()
    ramp = np.linspace(-0.5, 0.5, 100, dtype=np.float32)
    soundfile.write(folder / "item-000.wav", np.stack([ramp, -ramp], 1), 24000, subtype="PCM_24")
    run.event("preview", 500, "1 items")
    run.close()
    trackers.finish(60)

    records = _records(run.path)
    assert "preview/item-000" in records and '"step 500"' in records
    (sent,) = run.path.glob("wandb/offline-run-*/files/media/audio/preview/item-000_*.wav")
    audio, rate = soundfile.read(sent)
    assert rate == 24000
    np.testing.assert_allclose(audio, np.stack([ramp, -ramp], 1), atol=2**-15)


@pytest.mark.e2e
def test_a_resumed_run_keeps_its_id_and_sends_only_what_is_new(tmp_path: Path) -> None:
    run = _run(tmp_path)
    _metric(run, 1, 0.777777)
    run.write_json("wandb.json", {"id": "kept-id", "mode": "offline"})
    trackers = start_trackers(run.path, OFFLINE)
    _metric(run, 2, 0.888888)
    run.close()
    trackers.finish(60)

    assert read_json(run.path / "wandb.json")["id"] == "kept-id"
    records = _records(run.path)
    assert "0.888888" in records
    assert "0.777777" not in records


@pytest.mark.e2e
def test_a_run_that_is_tracked_only_from_a_resume_on_is_sent_from_its_start(tmp_path: Path) -> None:
    run = _run(tmp_path)
    for step, value in ((1, 0.111111), (2, 0.222222), (3, 0.333333)):
        _metric(run, step, value)
    trackers = start_trackers(run.path, OFFLINE, step=2)
    _metric(run, 3, 0.444444)  # again, from the checkpoint of step 2
    run.close()
    trackers.finish(60)
    records = _records(run.path)
    assert [text in records for text in ("0.111111", "0.222222", "0.333333", "0.444444")] == [
        True,
        True,
        False,
        True,
    ]


@pytest.fixture
def silent_host(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    taken.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        host = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("WANDB_BASE_URL", host)
        monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
        monkeypatch.delenv("WANDB_MODE", raising=False)
        yield host
        server.shutdown(socket.SHUT_RDWR)
        for connection in taken:
            connection.close()


def test_a_host_that_never_answers_means_offline(silent_host: str) -> None:
    assert choose_mode("auto", probe_seconds=0.1) == "offline"


def test_a_host_that_never_answers_is_left_after_a_bounded_time(
    silent_host: str, tmp_path: Path
) -> None:
    run = _run(tmp_path)
    trackers = start_trackers(run.path, TrackerSettings("online", "toys", "a"))
    _metric(run, 1, 0.5)  # a row costs the training nothing but its line
    run.close()

    first, *_ = trackers.finish(1.0)
    assert first == "wandb: no answer within 1 s; the training does not wait"


@pytest.mark.long
def test_a_tracker_that_fails_is_a_note(tmp_path: Path) -> None:
    run = _run(tmp_path)
    (run.path / "wandb").write_text("a file where wandb wants a folder", encoding="utf-8")
    trackers = start_trackers(run.path, TrackerSettings("offline", "to/ys?", "a"))
    run.close()
    (note,) = trackers.finish(60)
    assert note.startswith("wandb: failed (")
    assert note.endswith("wandb.log")


def test_a_mirror_that_cannot_start_is_a_note(tmp_path: Path) -> None:
    run = _run(tmp_path)
    (run.path / "wandb.log").mkdir()
    run.close()
    (note,) = start_trackers(run.path, OFFLINE).finish()
    assert note.startswith("wandb: not started ([Errno 21] Is a directory")


def test_disabled_starts_nothing(tmp_path: Path) -> None:
    run = _run(tmp_path)
    run.close()
    before = sorted(run.path.iterdir())
    assert start_trackers(run.path, TrackerSettings("disabled", "p", "n")).finish() == ()
    assert sorted(run.path.iterdir()) == before


def test_a_logger_without_its_package_is_refused_with_the_fix(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    require_packages("both")
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    require_packages("wandb")
    with pytest.raises(ProfileError, match=r"found both, .* pip install 'codecctl\[tensorboard\]'"):
        require_packages("both")


def test_what_the_profile_names_is_started() -> None:
    def chosen(*words: str) -> tuple[str, bool]:
        resolved = load_profile("paired", ["trainer.wandb.mode=offline", *words])
        settings = tracker_settings(resolved.profile, default="a run")
        return settings.mode, settings.tensorboard

    assert chosen() == ("offline", False)
    assert chosen("trainer.logger=both") == ("offline", True)
    assert chosen("trainer.logger=tensorboard") == ("disabled", True)
    assert chosen("trainer.logger=jsonl") == ("disabled", False)
    assert chosen("trainer.logger=both", "trainer.wandb.use_wandb=false") == ("disabled", True)


@pytest.mark.e2e
def test_both_mirrors_end_within_one_bound(silent_host: str, tmp_path: Path) -> None:
    run = _run(tmp_path)
    trackers = start_trackers(run.path, TrackerSettings("online", "toys", "a", tensorboard=True))
    _metric(run, 1, 0.5)
    run.close()
    late, *_, shown = trackers.finish(6.0)
    assert late.startswith("wandb: no answer within 6 s")
    assert shown == f"tensorboard: look at it with: tensorboard --logdir {run.path / 'tensorboard'}"


def test_auto_keeps_to_the_mode_that_the_user_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert choose_mode("auto") == "offline"
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert choose_mode("auto") == "disabled"
    assert choose_mode("online") == "online"


class _NotFound(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_error(404)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - its name there
        return


def test_auto_is_online_only_with_a_login_and_a_host_that_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    server = HTTPServer(("127.0.0.1", 0), _NotFound)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("WANDB_BASE_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    try:
        assert choose_mode("auto") == "offline"
        (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password x\n")
        (tmp_path / "netrc").chmod(0o600)
        assert choose_mode("auto") == "online"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert choose_mode("auto") == "offline"
