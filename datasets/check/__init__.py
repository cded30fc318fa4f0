"""Quality control of a store: what is wrong with recordings, and what it does to a training."""

from codecctl.datasets.check.finding import (
    ERROR,
    NOTE,
    REPORT_NAME,
    SEVERITIES,
    WARNING,
    Finding,
    Report,
    read_report,
    verdict,
    write_report,
)
from codecctl.datasets.check.limits import Limits
from codecctl.datasets.check.store_check import check_store

__all__ = [
    "ERROR",
    "NOTE",
    "REPORT_NAME",
    "SEVERITIES",
    "WARNING",
    "Finding",
    "Limits",
    "Report",
    "check_store",
    "read_report",
    "verdict",
    "write_report",
]
