"""Artifacts of every kind: outputs, importers, metadata, metrics, lists, optional and embedded ones, notebooks."""

from typing import List, NamedTuple, Optional
from kfp import dsl
from kfp.dsl import Artifact, ClassificationMetrics, Dataset, HTML, Input, Markdown, Metrics, Model, Output
from steps import count, double, rows, say, step


@step
def plus(one: int, other: int) -> int:
    return one + other


@step
def metrics(
    figures: Output[Metrics], classes: Output[ClassificationMetrics], page: Output[HTML], note: Output[Markdown]
):
    figures.log_metric("auc", 0.75)
    figures.log_metric("rows", 3)
    classes.log_confusion_matrix(["a", "b"], [[1, 2], [3, 4]])
    open(page.path, "w").write("<p>page</p>")
    open(note.path, "w").write("# note")


@step
def read_metrics(figures: Input[Metrics], classes: Input[ClassificationMetrics]) -> str:
    return f"{figures.metadata} {classes.metadata['confusionMatrix']['rows'][1]['row']}"


@step
def bad_metric(figures: Output[Metrics]):
    figures.log_metric("auc", float("nan"))


@step
def described(table: Input[Dataset]) -> str:
    return f"{table.metadata['from']} {table.metadata['size']} {table.metadata['place'] == table.uri}"


@step
def append(table: Input[Dataset]) -> int:
    with open(table.path, "a") as file:
        file.write("more\n")
    return len(open(table.path).readlines())


@step
def write(folder: str, text: str) -> str:
    import os

    path = os.path.join(folder, "note.txt")
    open(path, "w").write(text)
    return text


@step
def read(folder: str) -> str:
    import os

    return open(os.path.join(folder, "note.txt")).read()


@step
def perhaps(table: Optional[Input[Dataset]] = None) -> str:
    return "none" if table is None else open(table.path).read()


@step
def returned() -> Dataset:
    made = Dataset(uri=dsl.get_uri(suffix="made"), metadata={"kind": "returned"})
    open(made.path, "w").write("row\n")
    return made


@step
def two() -> NamedTuple("Two", [("table", Dataset), ("size", int)]):
    made = Dataset(uri=dsl.get_uri(suffix="two"))
    open(made.path, "w").write("row\nrow\n")
    return (made, 2)


@step
def model(made: Output[Model]):
    import os

    os.makedirs(made.path)
    open(os.path.join(made.path, "weights"), "w").write("1")
    made.metadata["framework"] = "none"


@step
def listed(made: Input[Artifact]) -> str:
    import os

    return f"{os.listdir(made.path)} {made.metadata}"


@step
def by_path(text: str, out: dsl.OutputPath(str), size: dsl.OutputPath(int), table: dsl.OutputPath("Dataset")):
    open(out, "w").write(text)
    open(size, "w").write(str(len(text)))
    open(table, "w").write("row\n")


@step
def from_path(table: dsl.InputPath("Dataset")) -> str:
    return open(table).read()


@step
def no_number(size: dsl.OutputPath(int)):
    open(size, "w").write("many")


@step
def forgets(size: dsl.OutputPath(int)):
    pass


@step
def list_of(tables: Input[List[Dataset]]) -> int:
    return len(tables)


@dsl.pipeline
def one_component_twice() -> int:
    few, many = rows(count=2), rows(count=5)
    return plus(one=count(table=few.outputs["table"]).output, other=count(table=many.outputs["table"]).output).output


@dsl.pipeline
def metrics_of_a_step():
    made = metrics()
    read_metrics(figures=made.outputs["figures"], classes=made.outputs["classes"])


@dsl.pipeline
def metric_that_is_nan():
    bad_metric()


@dsl.pipeline
def importer(path: str):
    table = dsl.importer(
        artifact_uri=path, artifact_class=Dataset, reimport=False, metadata={"from": "hand", "place": path, "size": 3}
    )
    count(table=table.output)
    described(table=table.output)


@dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
def importer_into_the_workspace(path: str):
    table = dsl.importer(artifact_uri=path, artifact_class=Dataset, download_to_workspace=True)
    append(table=table.output)


@dsl.pipeline(pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
def workspace():
    written = write(folder=dsl.WORKSPACE_PATH_PLACEHOLDER, text="kept")
    read(folder=dsl.WORKSPACE_PATH_PLACEHOLDER).after(written)


@dsl.pipeline
def optional_artifact():
    perhaps()
    perhaps(table=rows(count=1).outputs["table"])


@dsl.pipeline
def inner_with_an_artifact(table: Optional[Input[Dataset]] = None) -> str:
    return perhaps(table=table).output


@dsl.pipeline
def optional_artifact_of_a_nested_pipeline():
    inner_with_an_artifact()
    inner_with_an_artifact(table=rows(count=1).outputs["table"])


@dsl.pipeline
def returned_artifacts():
    count(table=returned().output)
    made = two()
    count(table=made.outputs["table"])
    double(value=made.outputs["size"])


@dsl.pipeline
def folder_as_artifact():
    listed(made=model().outputs["made"])


@dsl.pipeline
def paths():
    made = by_path(text="it's")
    say(text=made.outputs["out"])
    double(value=made.outputs["size"])
    from_path(table=made.outputs["table"])


@dsl.pipeline
def output_of_another_type():
    double(value=no_number().outputs["size"])


@dsl.pipeline
def output_that_is_not_written():
    double(value=forgets().outputs["size"])
