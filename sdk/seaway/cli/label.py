"""`seaway label`: a queue's folder, labelled in a browser by one key an item."""

import getpass
import webbrowser
from pathlib import Path

import typer

from seaway.platforms.labeling.folder import Folder
from seaway.platforms.labeling.web import Session, server
from seaway.signals import sigterm_raises


def label(folder: Path, name: str, port: int, suggest: bool, open_page: bool) -> None:
    """Serve the page until Ctrl-C or SIGTERM.

    Raises:
        LabelsUnavailable: the folder is no queue.
        InvalidSpec: the name cannot be a file's.
        PortTaken: the port is in use.
    """
    session = Session(Folder(folder), name or getpass.getuser(), suggest)
    serving, address = server(session, port)
    with serving, sigterm_raises():
        state = session.state()
        typer.echo(f"{state['done']} of {state['items']} items are labelled by {session.annotator}. Ctrl-C ends.")
        typer.echo(address)
        if open_page:
            webbrowser.open(address)
        serving.serve_forever()
