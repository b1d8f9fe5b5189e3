from kfp import dsl
from seaway.kfp import component


@component
def send_to_label(
    rows: dsl.Input[dsl.Dataset],
    sent: dsl.Output[dsl.Artifact],
    queue: str,
    key: str,
    classes: list,
    shown: list,
    kind: str = "table",
    title: str = "",
    instructions: str = "",
    golden: dsl.Input[dsl.Dataset] = None,
    golden_label: str = "",
    seed: int = 0,
    backend: str = "auto",
):
    """Ask people which class rows are of; sent again, nothing is there twice.

    Args:
        rows: Made by `choose_to_label`, or any Parquet file with the key and the shown columns.
        sent: Folder with what was asked, and the golden rows' classes, which the queue does not get.
        queue: Its name: 3 to 50 letters, digits, `-` and `_`. A queue asks one question.
        key: Column by which a row is known.
        classes: The possible answers, 2 to 35.
        shown: Columns that people see.
        kind: How they see them: `text`, `image` (the first column is a picture's bytes) or `table`.
        title: What is above each item.
        instructions: How to tell the classes apart.
        golden: Rows of a known class, which are mixed among the others to see who labels well.
        golden_label: Column of their class.
        seed: Of the order in which golden rows lie among the others.
        backend: Label queue: `folder` or `label-studio`; `auto` takes this installation's.

    Raises:
        DataUnreadable: rows, a key or a column are missing, or a golden row's class is none.
        InvalidSpec: the question cannot be asked.
        NameTaken: the queue asks another question.
        LabelsUnavailable: the queue does not answer, or refuses the token.
    """
    from pathlib import Path

    from seaway import platforms
    from seaway.labeling import LabelQueue, Question
    from seaway.labeling.sending import Golden, send_rows

    question = Question(classes, kind, shown, title, instructions)
    taken = platforms.chosen("LabelQueue") if backend == "auto" else backend
    known = Golden(Path(golden.path), golden_label) if golden else None
    port = platforms.current(LabelQueue, taken)
    asked, new = send_rows(port, taken, queue, question, Path(rows.path), key, known, seed)
    asked.write(Path(sent.path))
    sent.metadata["address"] = asked.address
    sent.metadata["summary"] = f"{len(asked.keys):,} items, {new:,} of them new, at {asked.address}"
