"""How the dashboard tells what happened to runs, once in passing and later as a list."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

from textual import on
from textual.binding import Binding

from codecctl.dashboard.alerts import Told, Watch
from codecctl.dashboard.alerts_screen import AlertsScreen
from codecctl.dashboard.pages import Pages
from codecctl.dashboard.views import Snapshot

MOST_TOLD = 1000
ALERT_KEYS: tuple[Binding, ...] = (
    Binding(
        "exclamation_mark",
        "alerts",
        "Alerts",
        show=False,
        id="app.alerts",
        key_display="!",
        tooltip="Since the start of the dashboard",
    ),
)
"""Of the application, which lists them behind those of charts and runs."""


class AlertPages(Pages):
    """The part of the application that tells alerts.

    Attributes:
        snapshot: What was read last.
        told: Alerts since the start, the oldest first.
    """

    snapshot: Snapshot

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._watch = Watch()
        self.told: deque[Told] = deque(maxlen=MOST_TOLD)

    def tell_news(self) -> None:
        """Tell what is new in the snapshot."""
        for alert in self._watch.news(self.snapshot):
            self.told.append(Told(time.time(), alert))
            self.notify(alert.text, title=alert.run, severity=alert.severity, markup=False)

    def action_alerts(self) -> None:
        """List the alerts since the dashboard was opened."""
        if not isinstance(self.screen, AlertsScreen):
            self.push_screen(AlertsScreen(list(self.told)), self._page_closed)

    @on(AlertsScreen.RunWanted)
    def _run_of_alert(self, event: AlertsScreen.RunWanted) -> None:
        self.screen.dismiss()
        if event.run_name in self.snapshot.by_name():
            self.open_run(event.run_name)
