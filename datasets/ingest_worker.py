"""A process that stores recordings one after the other, so that no crash can take the parent.

Jobs arrive on stdin and answers leave on stdout, one JSON object a line:

    {"path": ..., "outputs": [...], ...}    a job (`ingest_recording.Job`)
    {"bytes": 6291456}                      read since the last line
    {"stored": [{...}, null]}               done: a row for each output, null: nothing to do
    {"refused": "reason"}                   the file cannot be taken
    {"failed": "reason"}                    the disk does not take it

It ends when stdin ends or when nobody reads its answers any more.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import TextIO

from codecctl.datasets.audiofile import AudioFileError
from codecctl.datasets.ingest_recording import Job, ingest_recording
from codecctl.errors import CodecctlError, DataError


def main() -> None:
    """Serve jobs until there are no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent acts
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
    os.dup2(2, 1)  # what a library prints must not look like an answer
    try:
        for line in sys.stdin:
            serve(Job.from_json(json.loads(line)), answers)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), answers.fileno())  # for the flush at exit


def serve(job: Job, answers: TextIO) -> None:
    """Do one job and answer; a recording that was begun when the parent dies is taken back."""
    try:
        rows = ingest_recording(job, lambda count: _answer(answers, bytes=count))
    except AudioFileError as error:
        _answer(answers, refused=error.reason)
    except DataError as error:
        _answer(answers, refused=str(error))
    except CodecctlError as error:
        _answer(answers, failed=str(error))
    else:
        _answer(answers, stored=[row and row.to_json() for row in rows])


def _answer(answers: TextIO, **content: object) -> None:
    answers.write(json.dumps(content) + "\n")


if __name__ == "__main__":
    main()
