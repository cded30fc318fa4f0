from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from codecctl.datasets.batch import Batch, Item
from codecctl.engine.preview_codes import PreviewCodes, preview_codes
from codecctl.engine.previews import Previews
from codecctl.engine.recipes.token_swap import TokenSwap
from codecctl.errors import CodecctlError

from .clear_codec import codec, scene


def _batch(index: int) -> Batch:
    audio = np.random.default_rng(index).uniform(-1, 1, (1, 3, 50)).astype(np.float32)
    return Batch(audio, 24000, (Item("Beach.1", 0, (0, 4, 9)),))


def _previews(folder: Path) -> Previews:
    folder.mkdir(exist_ok=True)
    return Previews(folder, lambda: [_batch(0), _batch(1)], device=torch.device("cpu"))


def test_an_item_is_one_multichannel_file_beside_its_reference(tmp_path: Path) -> None:
    assert _previews(tmp_path / "p").write(500, lambda audio: audio * 0.5) == 2

    files = sorted(str(path.relative_to(tmp_path / "p")) for path in tmp_path.rglob("*.wav"))
    assert files == [
        "reference/item-000.wav",
        "reference/item-001.wav",
        "step-000000500/item-000.wav",
        "step-000000500/item-001.wav",
    ]
    reference, rate = soundfile.read(tmp_path / "p" / files[1], dtype="float32")
    estimate, _ = soundfile.read(tmp_path / "p" / files[3], dtype="float32")
    assert (rate, reference.shape) == (24000, (50, 3))
    np.testing.assert_allclose(reference.T, _batch(1).audio[0], atol=2**-23)
    np.testing.assert_allclose(estimate, reference * 0.5, atol=2**-22)


def test_references_are_written_once_and_a_step_is_replaced(tmp_path: Path) -> None:
    previews = _previews(tmp_path / "p")
    previews.write(1, lambda audio: audio)
    marked = tmp_path / "p" / "reference" / "item-000.wav"
    marked.write_bytes(b"mine")
    previews.write(1, lambda audio: audio * 4.0)

    assert marked.read_bytes() == b"mine"
    estimate, _ = soundfile.read(tmp_path / "p" / "step-000000001" / "item-000.wav")
    assert np.abs(estimate).max() <= 1.0
    assert sorted(path.name for path in (tmp_path / "p").iterdir()) == [
        "reference",
        "step-000000001",
    ]


def test_references_follow_when_a_resumed_run_shows_more_items(tmp_path: Path) -> None:
    fewer = Previews(tmp_path, lambda: [_batch(0)], device=torch.device("cpu"))
    fewer.write(1, lambda audio: audio)
    _previews(tmp_path).write(2, lambda audio: audio)
    assert len(list((tmp_path / "reference").iterdir())) == 2


def test_what_a_killed_job_left_half_written_is_removed(tmp_path: Path) -> None:
    (tmp_path / ".tmp-step-000000001-4711").mkdir()
    (tmp_path / ".tmp-step-000000001-4711" / "item-000.wav").write_bytes(b"RIFF")
    _previews(tmp_path).write(2, lambda audio: audio)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reference", "step-000000002"]


def test_a_folder_that_is_gone_is_one_clear_error(tmp_path: Path) -> None:
    previews = _previews(tmp_path / "p")
    (tmp_path / "p").rmdir()
    with pytest.raises(CodecctlError, match="p/reference: preview not written: No such file"):
        previews.write(2, lambda audio: audio)


def test_a_disk_that_takes_no_more_leaves_no_half_written_preview(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(CodecctlError, match=r"reference: preview not written: No space left"):
        _previews(tmp_path).write(0, torch.clone)
    assert list(tmp_path.iterdir()) == []


def test_exchanged_first_codes_are_heard_beside_reconstructions(tmp_path: Path) -> None:
    network = codec()
    pair, _ = scene(network, capsules=2)
    array, _ = scene(network, capsules=32)
    given = [
        [Batch(0.1 * audio[:1].numpy(), 600, (Item("Beach.1", 0, tuple(range(audio.shape[1]))),))]
        for audio in (pair, array)
    ]
    swap = TokenSwap(network)
    previews = Previews(
        tmp_path,
        lambda: given[0],
        device=torch.device("cpu"),
        arrays=lambda: given[1],
        swap=swap,
    )
    assert previews.write(5, lambda audio: audio / 2) == 1

    step = tmp_path / "step-000000005"
    assert sorted(path.name for path in step.iterdir()) == [
        "item-000.swap.wav",
        "item-000.wav",
        "whole-000.shared.wav",
        "whole-000.wav",
    ]
    reference = tmp_path / "reference"
    assert sorted(path.name for path in reference.iterdir()) == ["item-000.wav", "whole-000.wav"]
    for name, batch, heard in (
        ("item-000.swap", given[0][0], swap.exchange),
        ("whole-000.shared", given[1][0], lambda audio: swap.share(audio).estimate),
    ):
        written, rate = soundfile.read(step / f"{name}.wav", dtype="float32")
        expected = heard(torch.from_numpy(batch.samples))[0].clamp(-1, 1).numpy()
        assert rate == 600
        np.testing.assert_allclose(written.T, expected, atol=2**-22)


def test_an_item_of_one_capsule_has_nothing_to_exchange(tmp_path: Path) -> None:
    network = codec()
    audio, _ = scene(network)
    alone = Batch(audio[:1, :1].numpy(), 600, (Item("Beach.1", 0, (0,)),))
    Previews(tmp_path, lambda: [alone], device=torch.device("cpu"), swap=TokenSwap(network)).write(
        5, lambda given: given
    )
    assert [path.name for path in (tmp_path / "step-000000005").iterdir()] == ["item-000.wav"]


def test_references_of_arrays_join_those_of_a_run_that_had_none(tmp_path: Path) -> None:
    network = codec()
    audio, _ = scene(network, capsules=32)
    whole = Batch(audio[:1].numpy(), 600, (Item("Beach.1", 0, tuple(range(32))),))
    cpu = torch.device("cpu")
    Previews(tmp_path, lambda: [_batch(0)], device=cpu, arrays=lambda: [whole]).write(
        1, lambda given: given
    )
    assert [path.name for path in (tmp_path / "reference").iterdir()] == ["item-000.wav"]
    pair = Batch(audio[:1, :2].numpy(), 600, (Item("Beach.1", 0, (0, 1)),))
    Previews(
        tmp_path, lambda: [pair], device=cpu, arrays=lambda: [whole], swap=TokenSwap(network)
    ).write(2, lambda given: given)
    assert len(list((tmp_path / "reference").iterdir())) == 2


def test_codes_beside_a_reconstruction_decode_to_it(tmp_path: Path) -> None:
    network = codec()
    audio, codes = scene(network, capsules=2)
    batch = Batch(audio[:1].numpy(), 600, (Item("Beach.1", 0, (0, 1)),))
    previews = Previews(
        tmp_path, lambda: [batch], device=torch.device("cpu"), codes=PreviewCodes(network)
    )
    previews.write(5, lambda audio: audio)
    step = tmp_path / "step-000000005"
    assert sorted(path.name for path in step.iterdir()) == ["item-000.codes.json", "item-000.wav"]
    written = json.loads((step / "item-000.codes.json").read_text())
    assert torch.equal(torch.tensor(written.pop("codes")), codes[0])  # (M, K, F)
    assert written == {"schema": 1, "sample_rate": 600, "hop_length": 8, "codebook_size": 4}
    assert not list((tmp_path / "reference").glob("*.json"))


def test_what_makes_no_codes_writes_none() -> None:
    assert preview_codes(torch.nn.Identity()) is None
    network = codec()
    assert preview_codes(network) == PreviewCodes(network)
    network.quantizer.num_codebooks = 0
    assert preview_codes(network) is None
