"""`seaway init`: a project for data of one's own."""

from pathlib import Path

from seaway.cli.output import print_json
from seaway.projects import Wishes, plan, write


def init_project(name: str, wishes: Wishes, as_json: bool) -> None:
    """Look at the data, write the project into the folder NAME, and tell what was found."""
    from rich.console import Console

    made = plan(name, wishes)
    folder = Path(name)
    written = write(made, folder)
    if as_json:
        found = {"task": made.task, "rows": made.rows, "numeric": made.numeric, "categorical": made.categorical}
        found |= {"looked_up": made.looked_up, "content": made.content.column if made.content else ""}
        print_json({"folder": str(folder.absolute()), **found, "notes": made.notes, "files": list(map(str, written))})
        return
    console = Console(soft_wrap=True, markup=False, emoji=False, highlight=False)
    for note in made.notes:
        console.print(f"  {note}")
    inputs = len(made.inputs)
    console.print(
        f"{made.rows:,} rows, {inputs} input{'s' * (inputs != 1)}. Wrote {', '.join(str(file) for file in written)}."
    )
    console.print(f"Next: cd {name} && seaway run .")
