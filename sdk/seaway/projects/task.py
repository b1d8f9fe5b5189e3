"""Which task a label asks for, and whether there is enough to learn it from."""

from dataclasses import replace

from seaway.data.columns import Column
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.projects.roles import BY_NAME
from seaway.projects.seen import Seen, Wishes

BINARY = 2
QUANTILE = "quantile:"
MOST_CLASSES = 50  # of text, found out; more are texts rather than classes, until a person says otherwise
WHOLE_CLASSES = 12  # of whole numbers; more are amounts
FEWEST_ROWS = 30  # labelled; of fewer no split is left to learn from or to judge by
FEWEST_OF_A_CLASS = 10  # of two: one for the smallest split
ROWS_A_CLASS = 3  # of more, on average; of fewer, what is judged by was hardly ever learned from


def choose(seen: Seen, wishes: Wishes) -> tuple[str, str]:
    """The task, and why.

    Raises:
        InvalidSpec: the task that is asked for does not fit the label.
        DataUnreadable: the label is none that can be predicted, or too few rows have one.
    """
    label = seen.columns[wishes.label]
    if label.kind == "text":  # of which some say that there is none
        label = replace(label, distinct=len(seen.classes))
    task, why = (wishes.task, "what was asked for") if wishes.task else task_of(label)
    _require_fit(label, task, len(seen.classes))
    count = labelled(seen, label.name, task)
    if count < FEWEST_ROWS:
        raise DataUnreadable(
            f"{wishes.source} has {count} rows with a {label.name!r}; at least {FEWEST_ROWS} are needed to learn "
            f"from some and to judge by others.{_lost(seen)}"
        )
    rarest = min(seen.classes, key=lambda name: seen.classes[name])
    if task == "binary" and seen.classes[rarest] < FEWEST_OF_A_CLASS:
        raise DataUnreadable(
            f"Only {seen.classes[rarest]} of {count:,} rows have the {label.name!r} {rarest}; at least "
            f"{FEWEST_OF_A_CLASS} are needed, so that training, validation, test and canary have one each."
        )
    if task == "multiclass" and count < ROWS_A_CLASS * len(seen.classes):
        raise DataUnreadable(
            f"{wishes.source} has {count:,} rows of {len(seen.classes):,} different {label.name!r}; at least "
            f"{ROWS_A_CLASS} of each are needed on average. Group them, or give --label another column."
        )
    return task, why


def _lost(seen: Seen) -> str:
    """What became of further rows."""
    return "".join(f" {sentence}" for sentence in seen.left_out)


def labelled(seen: Seen, label: str, task: str) -> int:
    """Rows that have the label."""
    return sum(seen.classes.values()) if task in BY_NAME else seen.rows - seen.columns[label].missing


def task_of(label: Column) -> tuple[str, str]:
    """The task that a label asks for, and why.

    Raises:
        DataUnreadable: it is none that can be predicted.
    """
    if label.distinct < BINARY and label.kind != "other":
        raise DataUnreadable(
            f"Column {label.name!r} has {label.distinct or 'no'} value{'s' * (not label.distinct)}; there is nothing "
            "to tell apart. Give --label another column, or rows of other classes, too."
        )
    if label.kind == "truth" or (label.distinct == BINARY and (label.number or label.kind == "text")):
        return "binary", "two values"
    if label.number:
        if label.whole and label.distinct <= WHOLE_CLASSES:
            return "multiclass", f"{label.distinct} whole numbers; --task regression takes them for amounts"
        return "regression", "numbers"
    if label.kind == "text" and label.distinct <= MOST_CLASSES:
        return "multiclass", f"{label.distinct} names"
    raise DataUnreadable(
        f"Column {label.name!r} has {label.distinct:,} values of kind {label.kind}: no label that can be predicted. "
        f"Give --label another column, group its values into at most {MOST_CLASSES}, or say --task multiclass if each "
        "is a class with rows enough."
    )


def _require_fit(label: Column, task: str, classes: int) -> None:
    """Refuse what `--task` asks of a label that cannot be it."""
    fits = {
        "binary": classes == BINARY,
        "multiclass": classes >= BINARY and label.kind != "other",
        "regression": label.number,
        "multilabel": False,
    }
    if not fits.get("regression" if task.startswith(QUANTILE) else task, True):
        found = f"{classes:,} values of kind {label.kind}"
        others = " Lists of labels are for a pipeline of your own." if task == "multilabel" else ""
        raise InvalidSpec(f"--task {task}: {label.name!r} has {found}, which is no label of it.{others}")
