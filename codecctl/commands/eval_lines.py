"""What `codecctl eval` prints of coders on recordings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from codecctl.output import note, result, result_json

if TYPE_CHECKING:
    from codecctl.engine.lossless.comparison import Measure

_MOST_SCENES = 64
_LEAST_SECONDS = 1e-9
"""Of a clock that did not move."""


def print_comparison(
    measures: Sequence[Measure],
    *,
    subject: Mapping[str, str | int],
    missing: Sequence[str],
    left_out: Sequence[str],
    as_json: bool,
) -> None:
    """Print totals, then ratios by scene.

    Args:
        measures: Every coder on every recording.
        subject: Run, checkpoint, step and weights; nothing without a model.
        missing: A sentence for each coder that this machine has not.
        left_out: A sentence for each recording that was not coded.
        as_json: One document instead, with each recording.
    """
    from codecctl.engine.lossless.comparison import summed

    scenes = list(dict.fromkeys(each.scene for each in measures))
    totals = summed(measures)
    by_scene = {scene: summed(measures, scene=scene) for scene in scenes}
    if as_json:
        result_json(
            {
                "schema": 1,
                **subject,
                "total": [_named(each) for each in totals],
                "scenes": [
                    {"scene": scene, "coders": [_named(each) for each in rows]}
                    for scene, rows in by_scene.items()
                ],
                "recordings": [
                    {"recording": each.recording, "scene": each.scene, **_named(each)}
                    for each in measures
                ],
                "not_measured": list(missing),
                "left_out": list(left_out),
            }
        )
        return
    _print_totals(totals, subject, recordings=len({each.recording for each in measures}))
    if len(scenes) > 1:
        _print_scenes(by_scene)
    for line in missing:
        note(f"not measured: {line}")
    for line in left_out:
        note(f"left out: {line}")


def _print_totals(
    totals: Sequence[Measure], subject: Mapping[str, str | int], *, recordings: int
) -> None:
    first = totals[0]
    who = f"{subject['run']}:{subject['checkpoint']}: " if subject else ""
    bits = 8 * first.raw / first.samples
    result(
        f"{who}{recordings} recordings, {first.seconds:.1f} s, {first.samples} samples of "
        f"{bits:.4g} bits, every one of them decoded and compared"
    )
    width = max(len(each.coder) for each in totals)
    result(
        f"{'coder':<{width}}  {'bytes':>12}  bits/sample  bits/byte   ratio"
        "   encode: x real time, MB/s   decode: x real time, MB/s"
    )
    for each in totals:
        row = _row(each)
        result(
            f"{each.coder:<{width}}  {each.coded:>12}  {each.bits_per_sample:>11.3f}  "
            f"{each.bits_per_byte:>9.4f}  {each.ratio:>6.3f}"
            f"   {row['encode_x_real_time']:>19.4g}, {row['encode_bytes_per_second'] / 1e6:>4.3g}"
            f"   {row['decode_x_real_time']:>19.4g}, {row['decode_bytes_per_second'] / 1e6:>4.3g}"
        )


def _print_scenes(by_scene: Mapping[str, Sequence[Measure]]) -> None:
    width = max(8, *(len(scene) for scene in by_scene))
    coders = next(iter(by_scene.values()))
    result("")
    heads = "  ".join(f"{each.coder:>13}" for each in coders)
    result(f"{'ratio of':<{width}}  {heads}")
    for scene, rows in list(by_scene.items())[:_MOST_SCENES]:
        cells = "  ".join(f"{each.ratio:>{max(13, len(each.coder))}.3f}" for each in rows)
        result(f"{scene:<{width}}  {cells}")
    if len(by_scene) > _MOST_SCENES:
        note(f"{len(by_scene) - _MOST_SCENES} more: --json")


def _named(each: Measure) -> dict[str, str | float]:
    return {"coder": each.coder, **_row(each)}


def _row(each: Measure) -> dict[str, float]:
    encoding = max(each.encode_seconds, _LEAST_SECONDS)
    decoding = max(each.decode_seconds, _LEAST_SECONDS)
    return {
        "samples": each.samples,
        "audio_seconds": each.seconds,
        "raw_bytes": each.raw,
        "coded_bytes": each.coded,
        "bits_per_sample": each.bits_per_sample,
        "bits_per_byte": each.bits_per_byte,
        "ratio": each.ratio,
        "encode_x_real_time": each.seconds / encoding,
        "encode_bytes_per_second": each.raw / encoding,
        "decode_x_real_time": each.seconds / decoding,
        "decode_bytes_per_second": each.raw / decoding,
    }
