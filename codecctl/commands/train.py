"""`codecctl train`: a profile and a store become a run."""

from __future__ import annotations

import os
import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from codecctl.commands.train_end import End, conclude, export_weights, last_words
from codecctl.commands.train_job import Job, Wish, node_of, plan
from codecctl.ending import leaving_at_once
from codecctl.locations import runs_folder, stores_folder
from codecctl.output import note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from codecctl.commands.train_transcript import Transcript
    from codecctl.datasets.split import Split
    from codecctl.datasets.store import AudioSource
    from codecctl.engine.prepare import Prepared
    from codecctl.engine.process_group import ProcessGroup
    from codecctl.engine.profile import Profile
    from codecctl.engine.topology import Place

STOPPED = ("interrupted", "preempted")
"""Reasons to end that leave the summary to the run that goes on."""


def train(
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[GROUP=OPTION] [KEY=VALUE]...",
            help="Changes to the profile, e.g. model=tiny trainer.max_steps=1000.",
        ),
    ] = None,
    profile: Annotated[
        str, typer.Option("--profile", "-p", help="What to train: see `codecctl profile list`.")
    ] = "",
    run: Annotated[
        str, typer.Option("--run", help="Name of the run; default: profile, date and time.")
    ] = "",
    resume: Annotated[
        bool,
        typer.Option("--resume", help="Continue --run, or the profile's newest; else start."),
    ] = False,
    start: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="RUN[:CKPT]",
            help="Start with the weights of a checkpoint: best, last, step or folder.",
        ),
    ] = "",
    from_partial: Annotated[
        bool, typer.Option("--from-partial", help="With --from: leave out layers that do not fit.")
    ] = False,
    stage: Annotated[
        str, typer.Option("--stage", help="With --from: start in this stage of trainer.stages.")
    ] = "",
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Build everything, run an item, print sizes and times."),
    ] = False,
    multirun: Annotated[
        bool,
        typer.Option("-m", "--multirun", help="Values in comma lists: a run for each combination."),
    ] = False,
    processes: Annotated[
        int,
        typer.Option(
            "--processes",
            min=0,
            help="Processes on this node that share each batch; 0: one for each GPU.",
        ),
    ] = 0,
    slurm: Annotated[
        bool, typer.Option("--slurm", help="Print a job script for Slurm instead of training.")
    ] = False,
    submit: Annotated[bool, typer.Option("--submit", help="Send it with sbatch.")] = False,
    sbatch: Annotated[
        list[str] | None,
        typer.Option("--sbatch", metavar="KEY=VALUE", help="For the job, e.g. time=24:00:00."),
    ] = None,
) -> None:
    """Train a profile on a store; first Ctrl-C saves and stops, second quits.

    All GPUs of the node share each batch (trainer.num_gpus=1 takes one, 0 the CPU). torchrun and
    srun may start the processes instead: docs/cluster.md.
    """
    from codecctl.engine.topology import adopt_step, find_place

    wish = Wish(profile, tuple(overrides or ()), run, resume, start, from_partial, stage)
    queued = slurm or submit or bool(sbatch)
    if multirun:
        from codecctl.commands.train_array import Queue
        from codecctl.commands.train_sweep import sweep

        queue = Queue(tuple(sbatch or ()), submit) if queued else None
        sweep(wish, dry_run=dry_run, processes=processes, queue=queue)
        return
    if queued:
        from codecctl.commands.train_slurm import slurm as queue_run

        job = plan(wish, leads=True)
        queue_run(wish, job, processes=processes, options=sbatch or (), submit=submit)
        return
    adopt_step(os.environ)
    place = find_place(os.environ)
    if place is not None and place.world_size > 1:
        with leaving_at_once():  # threads of gloo may outlive the group
            _train_together(wish, place, dry_run=dry_run)
        return
    job = plan(wish, leads=os.environ.get("NODE_RANK", "0") == "0")
    node = node_of(job, processes)
    if node.world_size == 1 or dry_run:
        _train_alone(job, dry_run=dry_run)
        return
    from codecctl.engine.supervisor import Supervisor

    code = Supervisor([sys.executable, *sys.argv], node, tell=note).run()
    sys.stdout.flush()
    os._exit(code)  # a process that was interrupted has said so; leaving otherwise says it again


def _train_alone(job: Job, *, dry_run: bool) -> None:
    """Train in this process; in a group of one where networks or moments lie in parts."""
    from codecctl.engine.strategy import IN_PARTS

    if dry_run or job.resolved.profile.trainer.strategy not in IN_PARTS:
        conclude(job, _train(job, None, dry_run=dry_run))
        return
    from codecctl.engine.process_group import ProcessGroup

    with leaving_at_once():
        with ProcessGroup.of_one() as group:
            end = _train(job, group, dry_run=False)
        conclude(job, end)


def _train_together(wish: Wish, place: Place, *, dry_run: bool) -> None:
    """Train as one of several processes; the first of them decides what, and speaks for all."""
    from codecctl.commands.train_transcript import one_voice
    from codecctl.engine.process_group import ProcessGroup
    from codecctl.engine.topology import refuse_other_launch

    with ProcessGroup(place) as group, one_voice(group):
        group.refuse_other_commands(sys.argv[1:])
        job = group.share(None if group.rank else plan(wish, leads=True))
        assert job is not None, "the first process passes one"
        trainer = job.resolved.profile.trainer
        refuse_other_launch(place, num_gpus=trainer.num_gpus, num_nodes=trainer.num_nodes)
        if dry_run and group.rank:
            return
        end = _train(job, None if dry_run else group, dry_run=dry_run)
    conclude(job, end)


def _train(job: Job, group: ProcessGroup | None, *, dry_run: bool) -> End:
    from codecctl.commands.train_transcript import Transcript

    transcript = Transcript()
    leads = not dry_run and (group is None or group.rank == 0)
    with transcript.listening() if leads else nullcontext():
        return _train_heard(job, group, transcript, dry_run=dry_run)


def _train_heard(
    job: Job, group: ProcessGroup | None, transcript: Transcript, *, dry_run: bool
) -> End:
    from codecctl.commands import train_from, train_lines

    for text in (*job.notes, *job.resolved.notices):
        note(text)
    prepared = _prepare(job, group)
    taken = None
    if job.source is not None:
        taken = train_from.take_weights(prepared, job.source, partial=job.partial)
    if group is not None and group.rank:
        return _follow(prepared)
    train_lines.print_start(prepared)
    if dry_run:
        train_lines.print_dry_run(prepared)
        return End("finished")
    train_lines.warn_of_disk(prepared, runs_folder())
    train_lines.warn_of_slow_device(prepared)
    return _lead(job, prepared, taken, transcript)


def _prepare(job: Job, group: ProcessGroup | None) -> Prepared:
    """Open the store and build data and networks."""
    from codecctl.datasets import rated
    from codecctl.datasets.choose import AUTO
    from codecctl.engine.checkpoint_place import require_reachable
    from codecctl.engine.resume import refuse_other_sides, refuse_other_store, stored_store
    from codecctl.engine.strategy import require_strategy
    from codecctl.engine.tracking import require_packages

    profile = job.resolved.profile
    require_strategy(profile.trainer.strategy)
    require_packages(profile.trainer.logger)
    require_reachable(profile.trainer.ckpt_dir)
    wanted = profile.data.store
    if job.continues and wanted == AUTO:
        wanted = stored_store(job.path) or wanted
    store, sides = _open(profile, wanted)
    if job.continues:
        refuse_other_store(job.path, name=store.name, fingerprint=store.fingerprint)
        refuse_other_sides(job.path, sides.sides)
    if resampled := rated.note(store):
        note(resampled)
    note("loading torch")
    from codecctl.engine.prepare import prepare

    return prepare(profile, store, group=group, stage=job.stage)


def _open(profile: Profile, wanted: str) -> tuple[AudioSource, Split]:
    """Audio and its sides, refused now and not after loading torch."""
    from codecctl.engine.profile.schema import LosslessProfile

    if isinstance(profile, LosslessProfile):
        from codecctl.engine.lossless_source import describe, lossless_sides, open_stream

        stream = open_stream(profile.data, stores_folder(), wanted)
        for line in describe(profile.data, stream):
            note(line)
        return stream, lossless_sides(profile.data, stream)
    from codecctl.datasets.choose import choose_store
    from codecctl.engine.need import need_of
    from codecctl.engine.sides import sides_of

    store = choose_store(stores_folder(), need_of(profile), wanted)
    return store, sides_of(profile.data, store)


def _follow(prepared: Prepared) -> End:
    from codecctl.engine.follow import follow

    return End(follow(prepared))


def _lead(
    job: Job, prepared: Prepared, taken: Mapping[str, object] | None, transcript: Transcript
) -> End:
    from codecctl.commands import train_lines
    from codecctl.engine.origin import Origin
    from codecctl.engine.session import Session

    origin = Origin(job.profile_name, job.resolved, sys.argv, taken=taken)
    line = train_lines.ProgressLine(transcript)
    note(f"run {job.path}")
    try:
        session = Session(
            prepared,
            job.path,
            origin=origin,
            tell=lambda text: transcript.aside(text, line.tell),
            on_phase=line.phase,
            on_open=transcript.into,
        )
        outcome = session.train(line.report)
    finally:
        line.close()
        transcript.renew()
    for text in outcome.notes:
        note(text)
    if outcome.reason not in STOPPED:
        train_lines.print_summary(prepared, job.path)
        export_weights(job, prepared)
    end = End(outcome.reason, outcome.step)
    if words := last_words(job, end):  # said when the other processes have ended, too
        transcript.keep(words)
    return end
