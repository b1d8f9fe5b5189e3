"""Components and pipelines, listed and shown."""

from typing import Literal

import typer

from seaway.cli.output import print_json, print_table
from seaway.kfp import catalog
from seaway.kfp.interface import REQUIRED, Interface, Port, interface

Kind = Literal["component", "pipeline"]


def show_entries(kind: Kind, as_json: bool) -> None:
    """Print all components or pipelines with their one-line descriptions."""
    entries = catalog.components() if kind == "component" else catalog.pipelines()
    if as_json:
        print_json([{"function": entry.name, "category": entry.category, **entry.metadata} for entry in entries])
        return
    rows = [(entry.name, entry.category, entry.metadata.get("description", "")) for entry in entries]
    print_table(("name", "category", "description"), rows)


def show_interface(kind: Kind, name: str, as_json: bool) -> None:
    """Print what a component or pipeline takes and gives."""
    entry = catalog.component(name) if kind == "component" else catalog.pipeline(name)
    shown = interface(entry)
    if as_json:
        print_json(_plain(shown))
        return
    typer.echo(f"{entry.name}: {entry.metadata.get('description') or shown.description}\n")
    for title, ports in (("Inputs", shown.inputs), ("Parameters", shown.parameters), ("Outputs", shown.outputs)):
        if ports:
            typer.echo(title)
            print_table(("name", "type", "default", "meaning"), [_row(port) for port in ports])
            typer.echo()
    typer.echo(f"{'Example: ' + entry.metadata['example'] if 'example' in entry.metadata else ''}")


def _row(port: Port) -> tuple[str, str, str, str]:
    return port.name, port.type, "" if port.required else repr(port.default), port.description


def _plain(shown: Interface) -> dict[str, object]:
    """The interface as JSON; a required parameter has no default."""

    def plain(port: dict[str, object]) -> dict[str, object]:
        return {key: value for key, value in port.items() if value is not REQUIRED}

    groups = {"inputs": shown.inputs, "parameters": shown.parameters, "outputs": shown.outputs}
    ports = {title: [plain(vars(port)) for port in group] for title, group in groups.items()}
    return {"name": shown.name, "description": shown.description, **ports}
