"""A folder of rendered recordings that can be continued, and never mixed with another.

<corpus>/corpus.json            settings; written first, decides what may be added
<corpus>/README.md              what this is, and what it must not be used for
<corpus>/Beach-01-Raw.wav ...   32 channels, 48 kHz, 24 bit
<corpus>/logs/Beach-01.json ... positions, motion, files, gains and seeds of each recording
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from codecctl.datasets.em32 import NUM_CAPSULES
from codecctl.datasets.synth.capsules import capsule_gains
from codecctl.datasets.synth.draw import draw_recording
from codecctl.datasets.synth.names import recording_path
from codecctl.datasets.synth.plan import SAMPLE_RATE, STATEMENT, RecordingPlan
from codecctl.datasets.synth.recorded import SoundFolder
from codecctl.datasets.synth.wave import (
    LARGEST_FILE_BYTES,
    replacing,
    temporary_mark,
    wave_bytes,
)
from codecctl.errors import CodecctlError, DataError, UsageError

RENDERER_VERSION = 1
"""Raised whenever the same seed gives other samples."""
SETTINGS_NAME = "corpus.json"
LOGS_NAME = "logs"
BUILT_IN = "built-in"


@dataclass(frozen=True)
class Settings:
    """What two renderings have to agree in to share a folder."""

    seed: int
    seconds: float
    names: str
    sources: str
    """`built-in`, or the fingerprint of the sources folder."""
    renderer: int = RENDERER_VERSION


@dataclass(frozen=True)
class Task:
    """One recording to render."""

    plan: RecordingPlan
    target: Path
    log: Path
    sources_folder: Path | None


@dataclass(frozen=True)
class Corpus:
    """What a rendering will do."""

    folder: Path
    settings: Settings
    tasks: tuple[Task, ...]
    kept: tuple[Path, ...]
    """Recordings that are already there."""
    notices: tuple[str, ...]
    """Sentences about damaged recordings that will be rendered again."""

    @property
    def missing_seconds(self) -> float:
        """Audio to render."""
        return sum(task.plan.seconds for task in self.tasks)

    @property
    def missing_bytes(self) -> int:
        """Space that the recordings to render need."""
        return sum(wave_bytes(task.plan.frames, NUM_CAPSULES) for task in self.tasks)


def plan_corpus(
    folder: Path,
    settings: Settings,
    *,
    scenes: Sequence[str],
    recordings: int,
    sounds: SoundFolder | None,
) -> Corpus:
    """Find out what is missing; writes nothing.

    Args:
        folder: Of the corpus; need not exist.
        settings: Compared with those of a corpus that is there.
        scenes: Keys of SCENES.
        recordings: Of each scene.
        sounds: Recordings to render from; None for the built-in sounds.

    Raises:
        UsageError: The folder holds something else, or a corpus with other settings.
    """
    size = _file_bytes(settings.seconds)
    _require_same(folder, settings)
    tasks: list[Task] = []
    kept: list[Path] = []
    notices: list[str] = []
    for scene in scenes:
        for take in range(1, recordings + 1):
            target = folder / recording_path(scene, take, spelling=settings.names)
            log = folder / LOGS_NAME / f"{scene}-{take:02d}.json"
            if target.is_file() and log.is_file():
                if target.stat().st_size == size:
                    kept.append(target)
                    continue
                found = target.stat().st_size
                notices.append(f"{target}: found {found} B, needed {size} B; rendered again")
            plan = draw_recording(
                scene, take, seconds=settings.seconds, seed=settings.seed, folder=sounds
            )
            tasks.append(Task(plan, target, log, sounds.folder if sounds else None))
    return Corpus(folder, settings, tuple(tasks), tuple(kept), tuple(notices))


def prepare_folder(corpus: Corpus) -> None:
    """Create the folder with its settings and README, and clear what a killed run left.

    Raises:
        CodecctlError: There is not enough space for what is missing.
    """
    _require_space(corpus)
    try:
        (corpus.folder / LOGS_NAME).mkdir(parents=True, exist_ok=True)
        for task in corpus.tasks:
            task.target.parent.mkdir(exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(
            f"{error.filename}: a corpus needs a folder here, found something else"
        ) from error
    _remove_leftovers(corpus.folder)
    _write_text(corpus.folder / SETTINGS_NAME, json.dumps(asdict(corpus.settings), indent=2) + "\n")
    _write_text(corpus.folder / "README.md", _readme(corpus))


def write_log(task: Task, *, clipped: int) -> None:
    """Write the JSON log of a recording that has been rendered."""
    log = task.plan.to_json()
    log["file"] = task.target.name
    log["clipped_samples"] = clipped
    gains_db = 20 * np.log10(capsule_gains(task.plan.noise)[:, 0])
    log["capsule_gains_db"] = [round(float(gain), 3) for gain in gains_db]
    log["license"] = _license(task.sources_folder is not None)
    _write_text(task.log, json.dumps(log, indent=1) + "\n")


def remove_temporaries(folder: Path, pid: int) -> None:
    """Remove what a process of this host that has ended was writing."""
    for path in (*folder.glob(f"**/.*.{temporary_mark(pid)}"),):
        path.unlink(missing_ok=True)


def _file_bytes(seconds: float) -> int:
    size = wave_bytes(round(seconds * SAMPLE_RATE), NUM_CAPSULES)
    if size > LARGEST_FILE_BYTES:
        longest = LARGEST_FILE_BYTES // (NUM_CAPSULES * 3 * SAMPLE_RATE)
        raise UsageError(
            f"--seconds {seconds:g}: a recording would take {size / 1e9:.1f} GB, a WAV file ends "
            f"at 4.29 GB; {longest} s is the longest, use more recordings"
        )
    return size


def _require_same(folder: Path, settings: Settings) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise UsageError(f"{folder}: is a file; a corpus needs a folder")
    path = folder / SETTINGS_NAME
    if not path.is_file():
        if any(not entry.name.startswith(".") for entry in folder.iterdir()):
            raise UsageError(
                f"{folder}: holds files that `data synth` did not write; choose an empty folder"
            )
        return
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not readable ({error}); choose another folder") from error
    wanted = asdict(settings)
    if not isinstance(found, dict):
        raise DataError(f"{path}: not the settings of a corpus; choose another folder")
    differing = [key for key, value in wanted.items() if found.get(key) != value]
    if differing:
        listed = ", ".join(f"{key} {found.get(key)} (now {wanted[key]})" for key in differing)
        raise UsageError(
            f"{folder}: holds a corpus made with {listed}; choose another folder or the same "
            "settings"
        )


def _require_space(corpus: Corpus) -> None:
    wanted = corpus.folder.absolute()
    existing = next(path for path in (wanted, *wanted.parents) if path.exists())
    space = os.statvfs(existing)
    free = space.f_bavail * space.f_frsize
    if corpus.missing_bytes > free:
        raise CodecctlError(
            f"{corpus.folder}: {corpus.missing_bytes / 1e6:.0f} MB needed, {free / 1e6:.0f} MB "
            "free; render fewer or shorter recordings, or elsewhere"
        )


def _remove_leftovers(folder: Path) -> None:
    """Remove temporary files of processes of this host that no longer live."""
    prefix = temporary_mark(0)[:-1]
    for path in folder.glob(f"**/.*.{prefix}*"):
        pid = path.name.rpartition("-")[2]
        if pid.isdecimal() and not _alive(int(pid)):
            path.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _license(from_files: bool) -> str:
    if from_files:
        return (
            "Derived from the recordings named here; their licenses apply to this audio. "
            "The rendering adds no restriction."
        )
    return "CC0 1.0: everything in this audio was computed."


def _readme(corpus: Corpus) -> str:
    settings = corpus.settings
    built_in = settings.sources == BUILT_IN
    sources = "built-in sounds" if built_in else f"a folder, `{settings.sources[:16]}`"
    return f"""# A simulated corpus in the shape of EigenScape

{STATEMENT}

Rendered by `codecctl data synth`: sounds that stand, walk and drive around a computed em32
Eigenmike (rigid sphere of 42 mm, 32 capsules, order 30), each with a floor reflection, Doppler
shift and distance loss, a diffuse background from 50 directions, reverberation where the place
has one, wind rumble, capsule gains and sensor noise. 48 kHz, 24 bit, WAVE_EXTENSIBLE; channel n
is capsule n. Backgrounds repeat after 45 s at the latest. The genuine EigenScape (Green and
Murphy 2017, doi 10.3390/app7111204) is a set of real recordings; nothing here comes from it.

- seed {settings.seed}, {settings.seconds:g} s each, names `{settings.names}`
- sources: {sources}
- positions, motion, files, gains and seeds of every recording: `{LOGS_NAME}/`
- License: {_license(not built_in)}
"""
