"""`seaway export`: a pipeline for another orchestrator."""

from pathlib import Path

import typer

from seaway.cli.light_kfp import import_kfp


def export_pipeline(target: str, reference: str, to: Path | None, image: str) -> None:
    """Tell what is lost, then write the files. Raises: InvalidSpec."""
    import_kfp()
    from seaway.exports.exporter import exported
    from seaway.kfp import compile as compiler

    export = exported(target, compiler.load(reference), to, image)
    for loss in export.losses:
        typer.echo(f"Lost: {loss}.", err=True)
    for file, text in export.files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        typer.echo(f"Wrote {file}.")
    typer.echo(export.advice)
