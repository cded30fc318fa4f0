"""The job script of docs/cluster.md, run by bash with stand-ins for Slurm's commands."""

from __future__ import annotations

import os
import signal
import subprocess
import textwrap
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "cluster.md"
SRUN = """#!/bin/bash
trap 'echo saved >> log; exit 75' USR1
echo "$*" >> log
if grep -q saved log; then exit 0; fi
echo ready
while :; do sleep 0.05; done
"""


def test_the_job_script_saves_is_queued_again_and_finishes(tmp_path: Path) -> None:
    written = DOCUMENT.read_text(encoding="utf-8")
    script = textwrap.dedent(
        "    #!/bin/bash" + written.split("    #!/bin/bash")[1].split("\n\n")[0]
    )
    (tmp_path / "job").write_text(script + "\n", encoding="utf-8")
    for name, text in (("srun", SRUN), ("scontrol", '#!/bin/bash\necho "$*" >> log\n')):
        (tmp_path / name).write_text(text, encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "42"}

    job = subprocess.Popen(
        ["bash", "job"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert job.stdout is not None
    assert job.stdout.readline() == "ready\n"
    job.send_signal(signal.SIGUSR1)
    assert job.wait(timeout=20) == 75
    job.stdout.close()

    again = subprocess.run(["bash", "job"], cwd=tmp_path, env=environment, timeout=20, check=False)
    assert again.returncode == 0
    command = "codecctl train --profile paired --run night --resume"
    assert (tmp_path / "log").read_text(encoding="utf-8").splitlines() == [
        command,
        "saved",
        "requeue 42",
        command,
    ]
