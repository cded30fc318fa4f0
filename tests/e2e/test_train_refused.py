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
        (("trainer.max_steps=1.5",), 3, "trainer.max_steps: found 1.5, allowed: a whole number"),
        (("trainer.deterministic=3",), 3, "trainer.deterministic: found 3, allowed: true or false"),
        (("trainer.optimizer=[1]",), 3, "trainer.optimizer: found [1], allowed: a table of type"),
        (("trainer.seed={a=1}",), 3, 'trainer.seed: found {"a": 1}, allowed: a whole number'),
        (("model.generator.strides=[2,'x']",), 3, 'model.generator.strides.1: found "x", allowed'),
        (("trainer.optimizer.config.lr=nan",), 3, "found NaN, allowed: a number above 0"),
        (("data.batch_size=many",), 3, 'data.batch_size: found "many", allowed: a whole number'),
        (("trainer.optimizer.type=Adma",), 3, "did you mean 'Adamax'?"),
        (("trainer.optimizer.config.momentun=0.9",), 3, "trainer.optimizer.config.momentun"),
        (("trainer.optimizer.config.momentum=0.9",), 3, "unknown key, allowed: lr, weight_decay"),
        (
            ("trainer.discriminator.optimizer.config.nope=1",),
            3,
            "config.nope: unknown key, allowed",
        ),
        (("trainer.scheduler.config.gama=0.9",), 3, "trainer.scheduler.config.gama: unknown key"),
        (("trainer.scheduler.type=Cyclic",), 3, 'trainer.scheduler.type: found "Cyclic", allowed'),
        (
            ("trainer.updates_per_epoch=0", "data.items_per_epoch=1"),
            3,
            "data.items_per_epoch: found 1, allowed: at least data.batch_size = 2",
        ),
        (("trainer.limit_train_batches=0",), 3, "trainer.limit_train_batches: found 0, allowed: a"),
        (("trainer.limit_train_batches=1e-4",), 3, "found 0.0001, which is none of 5 batches"),
        (("trainer.limit_val_batches=1e-4",), 3, "found 0.0001, which is none of 1 batch"),
        (("data.val_items=0",), 3, "data.val_items: found 0, allowed: a whole number at least 1"),
        (("data.segment_seconds=60",), 4, "found 0.50 s at most with 2 channels, needed 60.0 s"),
        (("data.segment_seconds=60", "data.min_source_seconds=60"), 4, "60"),
        (("trainer.ckpt_dir=/proc/none",), 3, "which cannot hold checkpoints"),
        (("trainer.ckpt_dir=stores/tiny/index.json",), 3, "cannot hold checkpoints: File exists"),
        (("trainer.ckpt_dir=stores/tiny/index.json/a",), 3, "checkpoints: Not a directory"),
        (
            ("trainer.ckpt_dir=''",),
            3,
            'trainer.ckpt_dir: found "", allowed: text that is not empty',
        ),
        (("trainer.num_gpus=-1",), 3, "trainer.num_gpus: found -1, allowed: 'auto' or a whole num"),
        (("trainer.num_nodes=2",), 3, "trainer.num_nodes: found 2, but no NODE_RANK, MASTER_ADDR"),
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


def test_one_gpu_of_a_machine_without_any_is_refused(home: Path) -> None:
    if Path("/proc/driver/nvidia/version").exists():
        pytest.skip("this machine has a GPU")
    code, out, err = run(home, "train", *SHORT, "trainer.num_gpus=1", "--run", "a")
    assert (code, out) == (3, ""), err
    assert "trainer.num_gpus: found 1, this machine has no GPU that torch can use (no NVI" in err
    assert not (home / "runs").exists()
