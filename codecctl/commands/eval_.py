"""`codecctl eval`: what a checkpoint is worth on recordings that it never heard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.commands.checkpoint_choice import choose_checkpoint
from codecctl.commands.eval_lines import print_comparison
from codecctl.commands.export import Averaging
from codecctl.errors import UsageError
from codecctl.locations import stores_folder
from codecctl.output import note, progress

if TYPE_CHECKING:
    from codecctl.engine.lossless.comparison import Coder
    from codecctl.engine.lossless.takes import Take
    from codecctl.engine.profile import Profile
    from codecctl.engine.trained import Weights

_MODEL_SECONDS = 1.0
"""Of each recording, where nothing else is said: a model codes some thousand samples a second."""


@dataclass(frozen=True)
class Options:
    """What every evaluation is told."""

    on: tuple[str, ...]
    """Audio files, or a folder or store; nothing: the recordings that the run validates on."""
    seconds: float | None
    weights: Averaging | None
    at_once: int
    json: bool


_What = Annotated[
    list[str],
    typer.Argument(
        metavar="RUN[:CKPT] | SOURCE...",
        help="A run; CKPT is best (default), last or a step. With --lossless: audio files, or a "
        "folder of WAV files, or a store of integers.",
    ),
]
_Lossless = Annotated[
    bool, typer.Option("--lossless", help="Without a model: as `encode --lossless` codes.")
]
_On = Annotated[
    list[str] | None,
    typer.Option(
        "--on",
        metavar="SOURCE",
        help="Audio file (may be repeated), folder of WAV files or store of integers; default: "
        "the recordings that the run validates on.",
    ),
]
_Seconds = Annotated[
    float | None,
    typer.Option(
        min=0.0,
        help="Only the beginning of each recording; 0: all of it. Default: 1 with a model, which "
        "codes a few thousand samples a second, all without.",
    ),
]
_Weights = Annotated[
    Averaging | None,
    typer.Option("--weights", help="Averaged ones where there are, unless `last`."),
]
_AtOnce = Annotated[
    int, typer.Option(min=0, help="Chunks side by side, for speed only; 0: as memory allows.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def evaluate(
    what: _What,
    lossless: _Lossless = False,
    on: _On = None,
    seconds: _Seconds = None,
    weights: _Weights = None,
    at_once: _AtOnce = 0,
    as_json: _Json = False,
) -> None:
    """Bits and speed of lossless coding, beside gzip, xz, FLAC and WavPack.

    Every recording is coded and decoded by every coder, and compared sample by sample: a figure
    that is printed is one of audio that came back. Evaluates lossless runs only.
    """
    options = Options(tuple(on or ()), seconds, weights, at_once, as_json)
    if lossless:
        if on or weights:
            raise UsageError("--lossless: needs no --on and no --weights; name the audio itself")
        _without_model(tuple(what), options)
        return
    if len(what) != 1:
        raise UsageError(
            f"found {len(what)} runs ({', '.join(what)}), needed one; name audio with --on FILE, "
            "or evaluate without a model with --lossless"
        )
    checkpoint = choose_checkpoint(what[0])
    from codecctl.engine.run_profile import profile_of

    profile = profile_of(checkpoint.parent.parent)
    found = _EVALUATIONS.get(profile.mode)
    if found is None:
        raise UsageError(
            f"{checkpoint.parent.parent.name}: found a profile of mode {profile.mode}; eval "
            f"evaluates {', '.join(_EVALUATIONS)}; validation of others: codecctl runs show"
        )
    found(checkpoint, profile, options)


def _language_model(checkpoint: Path, profile: Profile, options: Options) -> None:
    note("loading torch")
    from codecctl.engine.lossless.exact import ExactTransformer
    from codecctl.engine.lossless.learned_coder import Learned
    from codecctl.engine.lossless.takes import takes_of
    from codecctl.engine.lossless_source import open_integers
    from codecctl.engine.lossless_trained import load_language_model, validated_recordings
    from codecctl.engine.profile.schema import LosslessProfile

    assert isinstance(profile, LosslessProfile), profile.mode
    which: Weights = options.weights.value if options.weights else ""
    trained = load_language_model(checkpoint, profile, which)
    if options.on:
        source = open_integers(options.on, stores_folder())
        names = tuple(info.name for info in source.recordings)
    else:
        stream, names = validated_recordings(profile, checkpoint.parent.parent, stores_folder())
        source = stream.source
        if stream.fingerprint != trained.store_fingerprint:
            note(f"{source.name}: is not what this run was trained on, or has changed since")
    seconds = _MODEL_SECONDS if options.seconds is None else options.seconds
    takes, left_out = takes_of(source, names, seconds=seconds, hearing=trained.hearing)
    exact = ExactTransformer(trained.network)
    coder = Learned(exact, block=trained.block, at_once=options.at_once)
    _compare(
        coder,
        takes,
        left_out,
        subject={
            "run": trained.run,
            "checkpoint": trained.checkpoint,
            "step": trained.step,
            "weights": trained.weights,
        },
        as_json=options.json,
    )


def _without_model(sources: tuple[str, ...], options: Options) -> None:
    from codecctl.engine.lossless.own_coders import ModelFree
    from codecctl.engine.lossless.takes import takes_of
    from codecctl.engine.lossless_source import open_integers

    source = open_integers(sources, stores_folder())
    names = [info.name for info in source.recordings]
    takes, left_out = takes_of(source, names, seconds=options.seconds or 0.0)
    _compare(ModelFree(), takes, left_out, subject={}, as_json=options.json)


def _compare(
    coder: Coder,
    takes: list[Take],
    left_out: list[str],
    *,
    subject: Mapping[str, str | int],
    as_json: bool,
) -> None:
    from codecctl.engine.lossless.classic import classic_coders
    from codecctl.engine.lossless.comparison import compare

    classic, missing = classic_coders()
    coders = [coder, *classic]
    total = 2 * len(coders) * sum(take.samples for take in takes)
    with progress("eval", total, unit="samples") as advance:
        measures = compare(takes, coders, advance=advance)
    print_comparison(measures, subject=subject, missing=missing, left_out=left_out, as_json=as_json)


_EVALUATIONS: Mapping[str, Callable[[Path, Profile, Options], None]] = MappingProxyType(
    {"lossless": _language_model}
)
"""By the mode of a profile."""
