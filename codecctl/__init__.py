"""The application: commands, dashboard, reports over `codecctl.engine` and `codecctl.datasets`."""

__version__ = "0.1.0"
