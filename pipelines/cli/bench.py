"""`borderlake bench NAME`: measure against a named peer."""

import typer

app = typer.Typer(help="Measure borderlake against named peers, each side in its own process.", no_args_is_help=True)
