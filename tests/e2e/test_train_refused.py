"""What a user gets wrong before a training: one line, exit code 3 or 4, no run folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from .training import SHORT, run, write_store

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("refused")
    write_store(home / "stores" / "tiny")
    return home


@pytest.mark.parametrize(
    ("overrides", "code", "line"),
    [
        (("data.batch_size=many",), 3, 'data.batch_size: found "many", allowed: a whole number'),
        (("trainer.optimizer.type=Adma",), 3, "did you mean 'Adamax'?"),
        (("trainer.optimizer.config.momentun=0.9",), 3, "trainer.optimizer.config.momentun"),
        (("trainer.scheduler.config.gama=0.9",), 3, "trainer.scheduler.config.gama: unknown key"),
        (("trainer.scheduler.type=Cyclic",), 3, 'trainer.scheduler.type: found "Cyclic", allowed'),
        (
            ("trainer.updates_per_epoch=0", "data.items_per_epoch=1"),
            3,
            "data.items_per_epoch: found 1, allowed: at least data.batch_size = 2",
        ),
        (("data.segment_seconds=60", "data.min_source_seconds=60"), 4, "60"),
        (("trainer.ckpt_dir=/proc/none",), 3, "which cannot hold checkpoints"),
        (("trainer.num_gpus=64",), 3, "trainer.num_gpus: found 64, this node has 0"),
        (("trainer.max_time=soon",), 3, "allowed: DD:HH:MM:SS"),
        (("trainer.loss_config.spectral.weights.mrstft=-1",), 3, "a number at least 0"),
    ],
)
def test_it_is_one_line_and_leaves_nothing(
    home: Path, overrides: tuple[str, ...], code: int, line: str
) -> None:
    found, out, err = run(home, "train", *SHORT, *overrides, "--run", "a")
    assert (found, out) == (code, ""), err
    errors = [each for each in err.splitlines() if each.startswith("codecctl: ")]
    assert len(errors) == 1, err
    assert line in errors[0]
    assert "Traceback" not in err
    assert not (home / "runs").exists()
