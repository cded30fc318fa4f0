"""The command line as a whole: help, start-up cost in modules, errors and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from codecctl.app import app

pytestmark = pytest.mark.long

HEAVY = ["torch", "torchaudio", "h5py", "textual", "wandb", "soundfile", "lightning_fabric"]
START = "from codecctl.cli import main; main()"
PROBE = """
import json, sys
from codecctl.cli import main
sys.argv = ["codecctl", *json.loads(sys.argv[1])]
try:
    main()
except SystemExit as stop:
    code = stop.code
else:
    code = 0
loaded = [name for name in json.loads(sys.stdin.read()) if name in sys.modules]
print("\\n" + json.dumps([code or 0, loaded]))
"""


def run_probe(arguments: list[str], folder: Path) -> tuple[int, list[str]]:
    """Exit code of a command in a fresh interpreter, and the heavy modules it loaded."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, json.dumps(arguments)],
        input=json.dumps(HEAVY),
        capture_output=True,
        text=True,
        cwd=folder,
        check=True,
    )
    code, loaded = json.loads(done.stdout.splitlines()[-1])
    return code, loaded


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["data", "--help"],
        ["train", "--help"],
        ["runs", "list"],
        ["runs", "list", "--json"],
        ["profile", "list"],
        ["profile", "show", "paired"],
        ["profile", "schema"],
    ],
    ids=" ".join,
)
def test_light_commands_load_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    assert run_probe(arguments, tmp_path) == (0, [])


def test_an_unknown_command_names_the_one_that_was_meant() -> None:
    answer = CliRunner().invoke(app, ["trian"])
    assert answer.exit_code == 2
    assert "Did you mean" in answer.stderr
    assert "train" in answer.stderr


def test_every_command_and_option_says_what_it_is_for() -> None:
    """Walks the whole tree of commands as typer builds it."""
    from typer.main import get_command

    def walk(command: object, path: str) -> list[str]:
        missing = [] if getattr(command, "help", None) else [path]
        missing += [
            f"{path} {parameter.opts[0]}"
            for parameter in getattr(command, "params", [])
            if parameter.param_type_name == "option" and not parameter.help
        ]
        for name, child in getattr(command, "commands", {}).items():
            missing += walk(child, f"{path} {name}")
        return missing

    assert walk(get_command(app), "codecctl") == []


def test_an_error_is_one_line_on_stderr_with_its_exit_code(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START, "data", "info", "nowhere"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 5
    assert done.stdout == ""
    assert done.stderr.startswith("codecctl: nowhere: no store of this name or path")
    assert done.stderr.count("\n") == 1


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", START, "--debug", "data", "info", "nowhere"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert "Traceback" in done.stderr
    assert "NotFoundError" in done.stderr


def test_the_version_is_printed_on_stdout() -> None:
    answer = CliRunner().invoke(app, ["--version"])
    assert answer.exit_code == 0
    assert answer.stdout.startswith("codecctl 0.")


INTERRUPT = """
import os, signal, sys
from codecctl.cli import main

class CtrlC:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[-1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, CtrlC())
main()
"""


@pytest.mark.parametrize("module", ["typer", "codecctl.engine.profile"])
def test_ctrl_c_during_an_import_is_one_line(module: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT, "profile", "show", module],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "codecctl: interrupted\n")


def test_ctrl_c_in_a_command_is_one_line(tmp_path: Path) -> None:
    code = (
        "import os, signal\n"
        "from codecctl import cli\n"
        "from codecctl.commands import runs\n"
        "runs.runs_folder = lambda: os.kill(os.getpid(), signal.SIGINT)\n"
        "cli.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "runs", "list"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "codecctl: interrupted\n")


def test_what_the_system_refuses_is_said_without_its_number(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", START, "runs", "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "codecctl: No space left on device\n")


@pytest.mark.parametrize(("closed", "said"), [(">&-", "codecctl: a: no run"), ("2>&-", "")])
def test_a_closed_stream_changes_no_exit_code(closed: str, said: str, tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" -c "$1" runs show a {closed}', sys.executable, START],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 5
    assert done.stdout == ""
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == bool(said)


AT_ONCE = """
import atexit, os
from codecctl.ending import leaving_at_once
from codecctl.errors import StoppedError

atexit.register(os.abort)  # as a thread of C++ does that outlives Python
with leaving_at_once():
    {what}
"""


@pytest.mark.parametrize(
    ("what", "code", "said"),
    [
        ("print('done')", 0, ""),
        ("raise StoppedError('saved; requeue')", 75, "codecctl: saved; requeue\n"),
        ("raise SystemExit(3)", 3, ""),
        ("raise SystemExit('no')", 1, "no\n"),
        ("1 / 0", 1, "ZeroDivisionError: division by zero\n"),
    ],
)
def test_a_process_can_leave_before_python_ends(what: str, code: int, said: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_ONCE.format(what=what)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr.endswith(said)) == (code, True)
    assert done.stdout == ("done\n" if code == 0 else "")
