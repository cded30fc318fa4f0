"""`codecctl data`: recordings become a chunk store that training reads."""

from __future__ import annotations

import typer

from codecctl.commands import (
    data_bench,
    data_check,
    data_info,
    data_ingest,
    data_list,
    data_merge,
    data_preview,
    data_remove,
    data_split,
    data_stage,
    data_synth,
    data_verify,
)

app = typer.Typer(no_args_is_help=True, help="Ingest recordings, look at stores, render corpora.")
app.command()(data_ingest.ingest)
app.command("list")(data_list.list_stores)
app.command()(data_info.info)
app.command()(data_preview.preview)
app.command()(data_verify.verify)
app.command()(data_check.check)
app.command()(data_bench.bench)
app.command()(data_synth.synth)
app.command()(data_split.split)
app.command()(data_stage.stage)
app.command()(data_merge.merge)
app.command()(data_remove.remove)
app.command()(data_remove.rename)
