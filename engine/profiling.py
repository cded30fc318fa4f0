"""A record of a few updates by torch's profiler."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType

import torch
from torch.profiler import ProfilerActivity, profile

LEFT_OUT, RECORDED = 2, 5
"""Updates before the record, in which memory and kernels find their shape, and in it."""
_ROWS = 60


class StepProfiler(AbstractContextManager["StepProfiler"]):
    """Records updates while entered; told of each by `step`.

    Leaves `trace.json`, which chrome://tracing and ui.perfetto.dev show, and `summary.txt`, the
    operations by the time that they take themselves.

    Args:
        folder: Where to; made here.
        device: That trains.
    """

    def __init__(self, folder: Path, device: torch.device) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.written = False
        self._device = device
        self._updates = 0
        self._record: profile | None = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._record is not None:
            self._record.stop()
            self._record = None

    def step(self) -> None:
        """An update is done."""
        self._updates += 1
        # Started and stopped here: torch's own schedule writes half a record where it is cut off.
        if self._updates == LEFT_OUT:
            activities = [ProfilerActivity.CPU]
            activities += [ProfilerActivity.CUDA] if self._device.type == "cuda" else []
            self._record = profile(activities=activities, acc_events=True)
            self._record.start()
        elif self._updates == LEFT_OUT + RECORDED and self._record is not None:
            self._record.stop()
            self._write(self._record)
            self._record = None

    def _write(self, found: profile) -> None:
        found.export_chrome_trace(str(self.folder / "trace.json"))
        sort = f"self_{self._device.type}_time_total"
        table = found.key_averages().table(sort_by=sort, row_limit=_ROWS)
        (self.folder / "summary.txt").write_text(table, encoding="utf-8")
        self.written = True
