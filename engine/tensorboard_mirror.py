"""The process that copies the rows of a run to event files of TensorBoard.

    python -m codecctl.engine.tensorboard_mirror RUN STEP METRICS_BYTES EVENTS_BYTES

`tensorboard/` in the run folder is made anew by each job from metrics.jsonl and previews/, so that
a curve has each step once however often the run was resumed. Tags are `train/loss/mel` and
`val/mel`; profile and environment are texts, previews are audio. Status: `tensorboard.json`.
"""

from __future__ import annotations

import io
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from codecctl.engine.files import write_json_atomically
from codecctl.engine.mirror import Clip, Job, copy_run, scalars_of, serve
from codecctl.engine.rows import Row
from codecctl.engine.runlist import read_json

if TYPE_CHECKING:
    from tensorboard.compat.proto.summary_pb2 import Summary

FOLDER = "tensorboard"
STATUS_FILE = "tensorboard.json"
_EVENT_FILES = "events.out.tfevents.*"


class EventFiles:
    """The event files of a run, begun anew.

    Args:
        folder: Where; event files in it are removed.
    """

    def __init__(self, folder: Path) -> None:
        from tensorboard.compat.proto.event_pb2 import Event, SessionLog
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        for old in folder.glob(_EVENT_FILES):
            old.unlink()
        self._writer = EventFileWriter(str(folder))
        # A TensorBoard that is open forgets what it has read from the files that are gone.
        log = SessionLog(status=SessionLog.START)
        self._writer.add_event(Event(wall_time=time.time(), step=0, session_log=log))

    def text(self, name: str, content: object) -> None:
        """A JSON document, to be read."""
        from tensorboard.plugins.text.summary import text_pb

        self._add(0, text_pb(name, f"```json\n{json.dumps(content, indent=2)}\n```"))

    def row(self, row: Row) -> None:
        """A row: each number under its name, with the split before it."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        scalars, split = scalars_of(row), str(row.get("split", ""))
        step = scalars.pop("step", 0)
        assert isinstance(step, (int, float)), step
        values = [
            Summary.Value(tag=_tag(split, name), simple_value=value)
            for name, value in scalars.items()
            if isinstance(value, (int, float))
        ]
        self._add(int(step), Summary(value=values))

    def clip(self, clip: Clip) -> None:
        """Audio of a preview, 16 bit."""
        import soundfile
        from tensorboard.compat.proto.summary_pb2 import Summary

        file = io.BytesIO()
        soundfile.write(file, clip.audio, clip.sample_rate, format="WAV", subtype="PCM_16")
        audio = Summary.Audio(
            sample_rate=clip.sample_rate,
            num_channels=clip.audio.shape[1],
            length_frames=clip.audio.shape[0],
            encoded_audio_string=file.getvalue(),
            content_type="audio/wav",
        )
        self._add(clip.step, Summary(value=[Summary.Value(tag=clip.name, audio=audio)]))

    def flush(self) -> None:
        """Let readers see everything."""
        self._writer.flush()

    def close(self) -> None:
        """End the file."""
        self._writer.close()

    def _add(self, step: int, summary: Summary) -> None:
        from tensorboard.compat.proto.event_pb2 import Event

        self._writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))


def mirror(job: Job) -> None:
    """Copy a run until its training ends."""
    status = {"schema": 1, "error": "", "finished": False}
    write_json_atomically(job.run / STATUS_FILE, status)
    files = EventFiles(job.run / FOLDER)
    files.text("profile", read_json(job.run / "profile.json").get("profile"))
    files.text("environment", read_json(job.run / "environment.json"))
    copy_run(job, files, replay=True)
    files.close()
    write_json_atomically(job.run / STATUS_FILE, {**status, "finished": True})


def _tag(split: str, name: str) -> str:
    """Validation has its split in its names already."""
    return name if name.startswith(f"{split}/") else f"{split}/{name}"


if __name__ == "__main__":
    serve(STATUS_FILE, mirror)
