from kfp import dsl
from seaway.kfp import component


@component
def run_notebook(
    page: dsl.Output[dsl.HTML],
    outputs: dsl.Output[dsl.Artifact],
    metrics: dsl.Output[dsl.Metrics],
    notebook: str,
    params: dict = {},  # noqa: B006 - KFP takes the default from the source text
    data: dsl.Input[dsl.Artifact] = None,
):
    """Run a notebook of Python from its first cell to its last; a cell that raises is why this step failed.

    Args:
        page: The notebook as it was run, to be read in a dashboard; also where a cell failed.
        outputs: A folder: `notebook.ipynb` as it was run, a file for each cell tagged `output:NAME`, and what the
            notebook wrote to the folder that its parameter `outputs` names.
        metrics: Figures that the cells tagged `metrics` end with, a dict of numbers by name.
        notebook: Path or URI of an `.ipynb`, or its text, which `seaway.notebooks.text_of` gives for a pipeline that
            is to run on a cluster. A path's own folder is where it runs.
        params: Values for names that its cell tagged `parameters` assigns.
        data: An artifact, whose path its parameter `data` is given.

    Raises:
        NotebookFailed: a cell raised, the kernel died, or a tagged cell shows nothing.
        DataUnreadable: there is no such notebook.
        InvalidSpec: the notebook has no parameter of a name, or is not of Python.
    """
    from pathlib import Path

    from seaway.notebooks import NotebookSpec, execute

    spec = NotebookSpec(notebook, params)
    found = execute(spec, Path(outputs.path), Path(page.path), data=Path(data.path) if data else None)
    for name, value in found.metrics.items():
        metrics.log_metric(name, value)
    outputs.metadata["summary"] = found.summary
