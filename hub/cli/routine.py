"""``roomwise routine``: check, test, simulate and explain routines, import them, ask for a run."""

from __future__ import annotations

import typer

from hub.cli.routine_check import check, import_automations, schema
from hub.cli.routine_history import explain, facts, trace, what_if
from hub.cli.routine_run import run
from hub.cli.routine_simulate import run_tests, simulate

app = typer.Typer(help="Check, test, simulate and explain routines.", no_args_is_help=True)
app.command()(check)
app.command("test")(run_tests)
app.command()(simulate)
app.command()(trace)
app.command()(explain)
app.command()(facts)
app.command("what-if")(what_if)
app.command()(run)
app.command("import")(import_automations)
app.command()(schema)
