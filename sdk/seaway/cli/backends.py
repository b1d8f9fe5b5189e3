"""`seaway backends`: what can carry out each port."""

from typing import Any

from seaway import platforms, registry
from seaway.cli.output import print_json, print_table
from seaway.registry import Backend, Port


def show_backends(as_json: bool) -> None:
    """Print the registry, and which backend `auto` takes at this place."""
    found = [
        {"port": port.option, "backend": one.name, "place": one.place, "taken": _taken(port, one), "does": port.does}
        for port in registry.PORTS.values()
        for one in registry.backends(port.name).values()
    ]
    if as_json:
        print_json(found)
        return
    print_table(("port", "backend", "where", "taken", "what it must do"), [_row(one) for one in found])


def _taken(port: Port, backend: Backend) -> bool:
    return not port.by_setting or platforms.chosen(port.name) == backend.name


def _row(one: dict[str, Any]) -> tuple[str, ...]:
    return one["port"], one["backend"], one["place"], "*" if one["taken"] else "", one["does"]
