"""Runs numbered cases in a child process that may crash, hang or ask for too much memory.

The child prints one JSON object a line: {"case": 7, "outcome": ..., "reason": ...}. A case without
a line in time, or at which the child dies, is a finding; the next child goes on behind it.
"""

from __future__ import annotations

import argparse
import json
import resource
import selectors
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

SECONDS_A_CASE = 10.0
START_SECONDS = 300.0
"""Before the first case, in which loops may have to be compiled first."""
MEMORY_BYTES = 512 << 20
"""Beyond what the child has mapped when its first case begins."""


@dataclass(frozen=True)
class Result:
    """How a case ended."""

    case: int
    outcome: str
    reason: str


def soak(
    module: str,
    child: Callable[[int, int, int], None],
    *,
    cases: int,
    fine: Collection[str],
    description: str | None,
) -> None:
    """The command line of a soak: runs cases, prints how many ended how, exits with 1 on a finding.

    Args:
        module: That of the soak.
        child: Serves the cases FIRST to STOP of a seed.
        cases: How many, unless the command line says.
        fine: Outcomes that are no findings.
        description: Of the command.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--cases", type=int, default=cases)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--child", type=int, nargs=3, metavar=("FIRST", "STOP", "SEED"))
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    counts: Counter[tuple[str, str]] = Counter()
    numbers = range(options.first, options.first + options.cases)
    for result in run_cases(module, numbers, seed=options.seed):
        counts[result.outcome, result.reason if result.outcome in fine else ""] += 1
        if result.outcome not in fine:
            print(f"case {result.case}: {result.outcome}: {result.reason}", flush=True)
    for (outcome, reason), count in sorted(counts.items(), key=lambda item: (item[0][0], -item[1])):
        print(f"{count:6} {outcome:9} {reason}")
    totals = Counter(outcome for outcome, _ in counts.elements())
    print(f"{sum(totals.values())} cases, seed {options.seed}: {dict(totals)}")
    sys.exit(0 if set(totals) <= set(fine) else 1)


def run_cases(module: str, numbers: range, *, seed: int) -> Iterator[Result]:
    """Yield a result for each case, in order.

    Args:
        module: Run as `python -m <module> --child FIRST STOP SEED`; calls `serve`.
        numbers: Of the cases, one after the other.
        seed: Of the cases.
    """
    done = numbers.start
    while done < numbers.stop:
        for result in _one_child(module, done, numbers.stop, seed):
            yield result
            done = result.case + 1


def serve(first: int, stop: int, judge: Callable[[int], tuple[str, str]]) -> None:
    """In the child: judge cases under a bound on memory."""
    _bound_memory()
    for case in range(first, stop):
        outcome, reason = judge(case)
        print(json.dumps({"case": case, "outcome": outcome, "reason": reason}), flush=True)


def _one_child(module: str, first: int, stop: int, seed: int) -> Iterator[Result]:
    words = [sys.executable, "-X", "faulthandler", "-m", module, "--child"]
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(
            [*words, str(first), str(stop), str(seed)], stdout=subprocess.PIPE, stderr=complaints
        )
        assert process.stdout is not None, process
        case, patience = first, START_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                hung = not selector.select(patience)
                line = b"" if hung else process.stdout.readline()
                if not line:
                    break
                patience = SECONDS_A_CASE
                result = Result(**json.loads(line))
                case = result.case + 1
                yield result
        if hung:
            process.kill()
        code = process.wait()
        process.stdout.close()
        if case < stop:
            complaints.seek(0)
            lines = complaints.read().decode(errors="replace").strip().splitlines()
            text = " | ".join(lines[-6:])[:600]
            yield Result(case, "hang" if hung else f"crash {code}", text)


def _bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    mapped = pages * resource.getpagesize() + MEMORY_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (mapped, mapped))
