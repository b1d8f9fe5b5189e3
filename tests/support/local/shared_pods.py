"""Pipelines whose steps can share a pod, with all that a step may be given and give."""

from typing import NamedTuple, Optional

from kfp import dsl
from seaway.kfp import component


@component
def make(
    rows: int,
    share: float,
    names: list,
    options: dict,
    table: dsl.Output[dsl.Dataset],
    metrics: dsl.Output[dsl.Metrics],
    log: dsl.OutputPath(str),
    suffix: str = "x",
    note: Optional[str] = None,  # noqa: UP045 - kfp reads no other spelling
) -> NamedTuple(
    "Made", [("total", int), ("mean", float), ("text", str), ("kept", dict), ("listed", list), ("ok", bool)]
):
    """Write rows, and an output of each type."""
    from pathlib import Path
    from typing import NamedTuple

    from seaway.errors import DataUnreadable

    if rows < 0:
        raise DataUnreadable("there are no rows.")
    Path(table.path).write_text("row\n" * rows)
    Path(log).write_text(f"made {rows} 'rows' of {note}")
    table.metadata.update(rows=rows, names=names)
    metrics.log_metric("rows", rows)
    types = [("total", int), ("mean", float), ("text", str), ("kept", dict), ("listed", list), ("ok", bool)]
    made = NamedTuple("Made", types)
    return made(rows, share, f'"{suffix}"', {**options, "rows": rows}, [*names, share], rows > 1)


@component
def take(
    table: dsl.Input[dsl.Dataset],
    total: int,
    mean: float,
    kept: dict,
    listed: list,
    ok: bool,
    label: str,
    page: dsl.Output[dsl.HTML],
    words: dsl.OutputPath(list),
) -> str:
    """Read what `make` gave."""
    import json
    from pathlib import Path

    from seaway.errors import DataUnreadable

    if not ok:
        raise DataUnreadable("one row is too few.")
    found = [total, mean, kept, listed, ok, label, table.metadata, len(Path(table.path).read_text())]
    doubles = json.loads(json.dumps(found), parse_int=float)  # a message of KFP's knows no other numbers
    Path(page.path).write_text(json.dumps(doubles, sort_keys=True))
    page.metadata["name"] = page.name
    Path(words).write_text(json.dumps(label.split()))
    return label


@component
def join(table: dsl.Input[dsl.Dataset], page: dsl.Input[dsl.HTML], words: list, text: str) -> str:
    """Read what both gave."""
    from pathlib import Path

    from seaway.storage import sha256

    return f"{sha256(Path(page.path))} {words} {text} {table.metadata['rows']:.0f} {page.metadata['name']}"


@component
def add(value: int, more: int) -> int:
    """Add."""
    import seaway

    assert seaway
    return value + more


@dsl.pipeline
def inner(value: int) -> int:
    """Two steps, of which the second's output is the pipeline's."""
    first = add(value=value, more=1)
    return add(value=first.output, more=10).output


@dsl.pipeline(name="sharing")
def sharing(rows: int = 3, share: float = 0.5, marker: str = "m", names: list = ["a", "b"]):  # noqa: B006
    """A chain, a pipeline in the pipeline, a loop and a branch."""
    made = make(rows=rows, share=share, names=names, options={"marker": marker, "k": 2.0})
    taken = take(
        table=made.outputs["table"],
        total=made.outputs["total"],
        mean=made.outputs["mean"],
        kept=made.outputs["kept"],
        listed=made.outputs["listed"],
        ok=made.outputs["ok"],
        label=f"{marker} of {made.outputs['ok']} and {made.outputs['text']}",
    ).set_display_name("Take them")
    joined = join(
        table=made.outputs["table"],
        page=taken.outputs["page"],
        words=taken.outputs["words"],
        text=made.outputs["log"],
    )
    summed = inner(value=made.outputs["total"]).after(joined)
    with dsl.ParallelFor(["1", "2"]) as item:
        chosen = take(
            table=made.outputs["table"],
            total=summed.output,
            mean=share,
            kept=made.outputs["kept"],
            listed=[1],
            ok=True,
            label=item,
        )
        join(table=made.outputs["table"], page=chosen.outputs["page"], words=["w"], text=chosen.outputs["Output"])
    with dsl.If(summed.output > 10):
        again = add(value=summed.output, more=1)
        add(value=again.output, more=1)


@component
def flaky(marker: str, table: dsl.Output[dsl.Dataset]) -> int:
    """Fail once, with something left behind."""
    from pathlib import Path

    from seaway.errors import JobFailed

    folder, tried = Path(table.path), Path(marker)
    folder.mkdir()
    if not tried.exists():
        tried.touch()
        (folder / "half").touch()
        raise JobFailed("the service is busy.")
    return len([*folder.iterdir()])


@dsl.pipeline(name="trying")
def trying(marker: str):
    """A step that is tried again beside one that is not, in one pod by its author's word."""
    from seaway.kfp.fuse.share import share_pod

    tried = share_pod(flaky(marker=marker), "both").set_retry(1, backoff_duration="0s").set_caching_options(False)
    share_pod(add(value=tried.outputs["Output"], more=1), "both")
    make(rows=1, share=0.5, names=[], options={}).after(tried)
