"""What the codes of a whole array share and tell, below the validation of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widgets import Static

from codecctl.dashboard.views import RunView

if TYPE_CHECKING:
    from codecctl.engine.array_report import ArrayReport

_AT_1_KHZ = 2
"""Place of 1 kHz among the frequencies of a report's coherence."""


class ArrayPane(Static):
    """The last survey of all capsules; hidden where a run has none."""

    def __init__(self) -> None:
        super().__init__(id="array-pane", markup=False)
        self.display = False

    def show_run(self, run: RunView) -> None:
        """Take over what was measured last."""
        report = run.detail.array if run.detail is not None else None
        self.display = report is not None
        if report is not None:
            self.update("\n".join(array_lines(report)))


def array_lines(report: ArrayReport) -> list[str]:
    """A summary, the agreement of first codes by angle, and the probe on second codes."""
    # Here, not above: most runs have no such report, and pydantic takes a while.
    from codecctl.engine.array_report import report_summary

    groups = report.first_by_angle
    rows = {
        "angle": [f"{group.degrees:.0f}°" for group in groups],
        "first codes agree": [f"{group.agreement:.2f}" for group in groups],
        "by chance": [f"{group.chance:.2f}" for group in groups],
        "diffuse at 1 kHz": [f"{group.coherence[_AT_1_KHZ]:.2f}" for group in groups],
    }
    probe = report.probes[1]
    return [
        f"step {report.step}, {report_summary(report)}".replace(" %", "%"),
        *(f"{name:17}{''.join(f'{cell:>5}' for cell in cells)}" for name, cells in rows.items()),
        f"probe on second codes {probe.accuracy:.3f}, 95% {probe.low:.3f} to {probe.high:.3f}, "
        f"chance {probe.chance:.3f}",
    ]
