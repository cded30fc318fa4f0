from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from codecctl.engine.checkpoint import Identity, load_state, resume_point, save_checkpoint
from codecctl.engine.checkpoint_files import (
    apply_retention,
    damage,
    newest_usable,
    set_pointer,
    write_checkpoint,
)
from codecctl.engine.recipes.base import State
from codecctl.engine.rundir import step_name
from codecctl.errors import CodecctlError

IDENTITY = Identity(mode="toy", profile_hash="p", store_fingerprint="s")


def _save(
    folder: Path, step: int, *, score: float | None = None, module: nn.Module | None = None
) -> Path:
    folder.mkdir(exist_ok=True)
    state: State = {"loop": {"step": step}, "weights": torch.arange(5.0), "names": ["a", 1, None]}
    return save_checkpoint(
        folder,
        state,
        generator=module or nn.Linear(2, 2),
        identity=IDENTITY,
        step=step,
        epoch=1,
        metrics={} if score is None else {"val/mel": score},
    )


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    module = nn.Linear(2, 2)
    path = _save(tmp_path / "c", 7, module=module)

    state = load_state(path)
    assert state["loop"] == {"step": 7}
    assert state["names"] == ["a", 1, None]
    assert torch.equal(torch.as_tensor(state["weights"]), torch.arange(5.0))
    weights = load_file(path / "weights.safetensors")
    assert torch.equal(weights["weight"], module.weight)
    assert _names(tmp_path / "c") == ["last", "step-000000007"]
    assert (tmp_path / "c" / "last").read_text() == "step-000000007\n"


def test_meta_names_what_the_checkpoint_belongs_to(tmp_path: Path) -> None:
    path = _save(tmp_path / "c", 7, score=0.5)
    meta = json.loads((path / "meta.json").read_text())

    assert {key: meta[key] for key in ("schema", "step", "epoch", "mode", "metrics")} == {
        "schema": 2,
        "step": 7,
        "epoch": 1,
        "mode": "toy",
        "metrics": {"val/mel": 0.5},
    }
    assert (meta["profile_hash"], meta["store_fingerprint"]) == ("p", "s")
    assert sorted(meta["files"]) == ["state.pt", "weights.safetensors"]
    assert damage(path) == ""


def test_tied_weights_are_written_twice(tmp_path: Path) -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    module[1].weight = module[0].weight
    weights = load_file(_save(tmp_path / "c", 1, module=module) / "weights.safetensors")
    assert torch.equal(weights["0.weight"], weights["1.weight"])


def test_a_state_of_another_version_is_refused_in_one_line(tmp_path: Path) -> None:
    path = _save(tmp_path, 7)
    meta = json.loads((path / "meta.json").read_text())
    (path / "meta.json").write_text(json.dumps({**meta, "schema": 1}))
    with pytest.raises(CodecctlError, match="found a state of schema 1, needed 2; continue it"):
        load_state(path)


def test_code_in_a_checkpoint_is_refused_not_run(tmp_path: Path) -> None:
    torch.save({"evil": os.system}, tmp_path / "state.pt")
    with pytest.raises(CodecctlError, match=r"state.pt: not a checkpoint of codecctl"):
        load_state(tmp_path)


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("file", "harm", "said"),
    [
        ("state.pt", "flip", "state.pt does not match its hash"),
        ("weights.safetensors", "flip", "weights.safetensors does not match its hash"),
        ("state.pt", "truncate", r"state.pt has 100 bytes instead of \d+"),
        ("state.pt", "remove", "state.pt is missing"),
        ("meta.json", "truncate", "meta.json is missing or damaged"),
        ("meta.json", "remove", "meta.json is missing or damaged"),
        ("state.pt", "swap", "state.pt is missing"),
        ("meta.json", "retype", "meta.json is missing or damaged"),
        ("state.pt", "lock", "state.pt cannot be read: Permission denied"),
    ],
)
def test_damage_falls_back_to_the_checkpoint_before_and_says_so(
    tmp_path: Path, file: str, harm: str, said: str
) -> None:
    folder = tmp_path / "c"
    _save(folder, 5)
    victim = _save(folder, 10) / file
    if harm == "flip":
        _flip(victim)
    elif harm == "truncate":
        os.truncate(victim, 100)
    elif harm == "retype":
        victim.write_text('{"files": {"state.pt": 5}}')
    elif harm == "swap":
        victim.unlink()
        victim.mkdir()
    elif harm == "lock":
        if not os.geteuid():
            pytest.skip("root reads every file")
        victim.chmod(0)
    else:
        victim.unlink()

    told: list[str] = []
    path = resume_point(folder, told.append)

    assert path == folder / "step-000000005"
    (sentence,) = told
    assert sentence.startswith("damaged checkpoint step-000000010: ")
    assert sentence.endswith("; continuing from step-000000005")
    assert re.search(said, sentence)
    assert _names(folder) == ["damaged-step-000000010", "last", "step-000000005"]


def test_without_a_whole_checkpoint_there_is_nothing_to_resume(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    told: list[str] = []
    folder.mkdir()
    assert resume_point(folder, told.append) is None
    assert told == []

    (_save(folder, 5) / "state.pt").unlink()
    assert resume_point(folder, told.append) is None
    assert told == ["damaged checkpoint step-000000005: state.pt is missing; none older is whole"]


def test_the_newest_and_the_best_stay(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    for step, score in ((1, 0.9), (2, 0.1), (3, 0.3), (4, None), (5, 0.8), (6, float("nan"))):
        _save(folder, step, score=score)
    set_pointer(folder, "best", step_name(2))

    removed = apply_retention(folder, keep_last=2, keep_best=2, metric="val/mel")

    assert removed == [step_name(1), step_name(4)]
    assert _names(folder) == ["best", "last", *(step_name(step) for step in (2, 3, 5, 6))]
    assert apply_retention(folder, keep_last=-1, keep_best=0, metric="val/mel") == []
    apply_retention(folder, keep_last=1, keep_best=0, metric="val/mel")
    assert _names(folder) == ["best", "last", step_name(2), step_name(6)]


@pytest.mark.parametrize("saved", range(1, 12))
def test_all_stay_while_there_are_no_more_than_are_kept(tmp_path: Path, saved: int) -> None:
    folder = tmp_path / "c"
    for step in range(1, saved + 1):
        _save(folder, step)
    removed = apply_retention(folder, keep_last=5, keep_best=0, metric="val/mel")
    assert removed == [step_name(step) for step in range(1, saved - 4)]


def test_where_more_is_better_the_largest_stay(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    for step, score in ((1, 0.9), (2, 0.1), (3, 0.3)):
        _save(folder, step, score=score)
    apply_retention(folder, keep_last=1, keep_best=1, metric="val/mel", sign=-1)
    assert _names(folder) == ["last", step_name(1), step_name(3)]


def test_milestones_stay_beside_the_newest_and_the_best(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    for step in range(5, 45, 5):
        _save(folder, step, score=abs(step - 25) / 100)
        apply_retention(folder, keep_last=1, keep_best=1, keep_every=20, metric="val/mel")
    assert _names(folder) == ["last", *(step_name(step) for step in (20, 25, 40))]


def test_of_equal_checkpoints_the_older_is_the_best_and_nan_never_is(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    for step, score in ((1, float("nan")), (2, 0.2), (3, 0.2), (4, 0.3), (5, float("nan"))):
        _save(folder, step, score=score)
    apply_retention(folder, keep_last=1, keep_best=1, metric="val/mel")
    assert _names(folder) == ["last", step_name(2), step_name(5)]


def test_a_checkpoint_of_the_same_step_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    _save(folder, 5, score=0.1)
    _save(folder, 5, score=0.2)
    assert _names(folder) == ["last", "step-000000005"]
    assert json.loads((folder / "step-000000005" / "meta.json").read_text())["metrics"] == {
        "val/mel": 0.2
    }


def test_a_step_whose_replacement_fails_at_the_last_moment_is_still_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "c"
    _save(folder, 5, score=0.1)
    rename = Path.rename

    def refuse(path: Path, target: Path) -> Path:
        if target.name == step_name(5):
            raise OSError("the server is gone")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(CodecctlError, match="not saved: the server is gone; step-000000005 is"):
        _save(folder, 5, score=0.2)
    monkeypatch.undo()

    assert resume_point(folder, pytest.fail) == folder / step_name(5)
    assert _names(folder) == ["last", step_name(5)]


def test_metrics_that_are_not_finite_are_kept_by_their_names(tmp_path: Path) -> None:
    path = _save(tmp_path / "c", 5, score=float("inf"))
    assert json.loads((path / "meta.json").read_text())["metrics"] == {"val/mel": "Infinity"}
    path = _save(tmp_path / "c", 6, score=float("nan"))
    assert json.loads((path / "meta.json").read_text())["metrics"] == {"val/mel": "NaN"}


def test_pointers_follow_when_the_checkpoint_they_name_is_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "c"
    _save(folder, 5)
    (_save(folder, 10) / "state.pt").unlink()
    set_pointer(folder, "best", step_name(10))

    resume_point(folder, lambda _: None)

    assert (folder / "last").read_text() == "step-000000005\n"
    assert not (folder / "best").exists()


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    module = nn.Linear(2, 2)
    _save(tmp_path / "c", 5, module=module)
    with torch.no_grad():
        module.bias[0] = torch.nan
    with pytest.raises(CodecctlError, match=r"step 9: weight bias is not finite"):
        _save(tmp_path / "c", 9, module=module)
    assert _names(tmp_path / "c") == ["last", "step-000000005"]


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(tmp_path, "step-000000001", files={"a": fail}, meta={})
    assert _names(tmp_path) == []


_SAVE = """
import os, pathlib, sys
import torch
from torch import nn
from codecctl.engine.checkpoint import Identity, save_checkpoint

def save(folder, step):
    folder.mkdir(exist_ok=True)
    save_checkpoint(
        folder, {"step": step, "x": torch.ones(9)}, generator=nn.Linear(2, 2),
        identity=Identity("toy", "p", "s"), step=step, epoch=1, metrics={},
    )

"""

# One child for each moment: it dies before the n-th sync or rename of the second checkpoint.
_KILLED = (
    _SAVE
    + """
def dying(function, left):
    def counted(*args):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), 9)
        return function(*args)
    return counted

torch.set_num_threads(1)
os.fsync = lambda _: None  # a killed process loses nothing that was not synced
moment, status = 0, 9
while status == 9:
    moment += 1
    if not (child := os.fork()):
        folder = pathlib.Path(sys.argv[1]) / f"moment-{moment}"
        save(folder, 1)
        left = [moment]
        os.fsync = dying(lambda _: None, left)
        pathlib.Path.rename = dying(pathlib.Path.rename, left)
        pathlib.Path.replace = dying(pathlib.Path.replace, left)
        save(folder, int(sys.argv[2]))
        os._exit(0)
    status = os.waitpid(child, 0)[1]
print(moment, status)
"""
)


def _python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.e2e
def test_killed_at_any_moment_of_writing_the_older_or_the_newer_is_whole(tmp_path: Path) -> None:
    last, status = _python(_KILLED, str(tmp_path), "2").split()
    assert status == "0"
    assert int(last) > 9  # three files, two folders, three renames, `last`

    steps = []
    for moment in range(1, int(last) + 1):
        folder = tmp_path / f"moment-{moment}"
        usable = newest_usable(folder)
        assert usable.damaged == ()
        assert usable.path is not None
        steps.append(int(str(load_state(usable.path)["step"])))
        _save(folder, 3)
        assert not [name for name in _names(folder) if name.startswith(".tmp-step")]
    assert steps == sorted(steps)
    assert set(steps) == {1, 2}


@pytest.mark.e2e
def test_killed_at_any_moment_of_replacing_the_only_checkpoint_one_is_whole(
    tmp_path: Path,
) -> None:
    last, status = _python(_KILLED, str(tmp_path), "1").split()
    assert status == "0"
    for moment in range(1, int(last) + 1):
        folder = tmp_path / f"moment-{moment}"
        assert resume_point(folder, pytest.fail) == folder / step_name(1)
        _save(folder, 3)
        assert _names(folder)[-3:] == ["last", step_name(1), step_name(3)]


@pytest.mark.e2e
def test_a_full_disk_is_one_clear_error_and_the_older_checkpoint_stays(tmp_path: Path) -> None:
    code = _SAVE + (
        "import resource, signal\n"
        "from codecctl.errors import CodecctlError\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "save(folder, 1)\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n    save(folder, 2)\nexcept CodecctlError as error:\n    print(error)\n"
    )
    said = _python(code, str(tmp_path))

    assert "step-000000002: checkpoint not saved: disk or quota full" in said
    assert "step-000000001 is kept" in said
    assert said.endswith("continue with --resume")
    assert _names(tmp_path) == ["last", "step-000000001"]
    assert damage(tmp_path / "step-000000001") == ""
