"""`codecctl data synth`: renders a corpus in the shape of EigenScape."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.errors import InterruptedByUserError, UsageError
from codecctl.output import note, progress, result, result_json

if TYPE_CHECKING:
    from codecctl.datasets.synth.corpus import Corpus


def synth(
    out: Annotated[Path, typer.Argument(help="Folder of the corpus; continued if it exists.")],
    sources: Annotated[
        Path | None,
        typer.Option(
            help="Folder of recordings to render from, any format; built-in sounds without."
        ),
    ] = None,
    recordings: Annotated[int, typer.Option(min=1, max=99, help="Recordings of each scene.")] = 2,
    seconds: Annotated[float, typer.Option(help="Length of each recording.")] = 4.0,
    scenes: Annotated[
        str, typer.Option(help="Comma list such as Beach,Park; all eight without.")
    ] = "",
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")] = 0,
    names: Annotated[
        str, typer.Option(help="Spelling of the file names: raw, metadata, ambisonic or folders.")
    ] = "raw",
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one for each free core.")] = 0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Render 32-channel em32 recordings of simulated scenes into OUT.

    Simulations test shapes, memory and training; they support no claim about real recordings.
    """
    from codecctl.datasets.synth.corpus import BUILT_IN, Settings, plan_corpus, prepare_folder
    from codecctl.datasets.synth.recorded import scan_sounds

    chosen = _scenes(scenes)
    _require_sense(seconds, names)
    sounds = scan_sounds(sources) if sources else None
    fingerprint = sounds.fingerprint if sounds else BUILT_IN
    settings = Settings(seed=seed, seconds=seconds, names=names, sources=fingerprint)
    corpus = plan_corpus(out, settings, scenes=chosen, recordings=recordings, sounds=sounds)
    for sentence in (*(sounds.left_out if sounds else ()), *corpus.notices):
        note(sentence)
    if not dry_run and corpus.tasks:
        prepare_folder(corpus)
        _render(corpus, jobs)
    _report(corpus, dry_run=dry_run, as_json=as_json)


def _scenes(wanted: str) -> tuple[str, ...]:
    from codecctl.datasets.synth.scenes import SCENES

    if not wanted.strip():
        return tuple(SCENES)
    known = {scene.lower(): scene for scene in SCENES}
    chosen: dict[str, None] = {}
    for part in wanted.split(","):
        key = "".join(character for character in part.lower() if character.isalnum())
        if key not in known:
            raise UsageError(
                f"--scenes {part.strip()!r}: no such scene; known: {', '.join(SCENES)}"
            )
        chosen[known[key]] = None
    return tuple(chosen)


def _require_sense(seconds: float, names: str) -> None:
    from codecctl.datasets.synth.names import SPELLINGS

    if names not in SPELLINGS:
        raise UsageError(f"--names {names!r}: unknown spelling; known: {', '.join(SPELLINGS)}")
    if not seconds >= 0.05 or seconds == float("inf"):
        raise UsageError(f"--seconds {seconds:g}: needs at least 0.05")


def _render(corpus: Corpus, jobs: int) -> None:
    import os

    from codecctl.datasets.synth.render_jobs import render_corpus

    jobs = jobs or len(os.sched_getaffinity(0))
    try:
        with progress("render", corpus.missing_seconds, unit="s") as advance:
            render_corpus(corpus, jobs=jobs, on_progress=advance)
    except KeyboardInterrupt:
        done = sum(task.log.is_file() for task in corpus.tasks)
        raise InterruptedByUserError(
            f"{corpus.folder}: stopped after {done} of {len(corpus.tasks)} recordings; the same "
            "command continues"
        ) from None


def _report(corpus: Corpus, *, dry_run: bool, as_json: bool) -> None:
    if as_json:
        result_json(
            {
                "corpus": str(corpus.folder),
                "rendered": [] if dry_run else [str(task.target) for task in corpus.tasks],
                "missing": [str(task.target) for task in corpus.tasks] if dry_run else [],
                "kept": [str(path) for path in corpus.kept],
                "seconds": corpus.settings.seconds,
                "bytes": corpus.missing_bytes,
            }
        )
        return
    verb = "would render" if dry_run else "rendered"
    kept = f", kept {len(corpus.kept)}" if corpus.kept else ""
    result(
        f"{corpus.folder}: {verb} {len(corpus.tasks)} recordings of {corpus.settings.seconds:g} s, "
        f"32 channels, 48000 Hz, 24 bit, {corpus.missing_bytes / 1e6:.0f} MB{kept}"
    )
