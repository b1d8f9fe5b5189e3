"""A model that leaves for devices: trained, packaged, converted for several targets, measured, and let go by a gate."""

from kfp import dsl
from seaway_components.data import ingest_tables
from seaway_components.edge import compare_edge
from seaway_components.evaluation import check_gate
from seaway_components.features import split_table
from seaway_components.models import package_model
from seaway_components.training import train_pytorch

WAITS = "100m"  # of a core, for what waits for pods of its own
VARIANTS = [
    {"target": "onnxruntime", "gate": {"max_flips": 0.0}},
    {"target": "onnxruntime", "precision": "int8-static"},
    {"target": "openvino", "gate": {"max_flips": 0.0}},
    {"target": "openvino", "precision": "int8-static"},
    {"target": "openvino", "precision": "int8-static", "bound": {"max_loss": 0.001}},
]
DIGITS = {"label": "digit", "task": "multiclass", "image": "picture", "size": [16, 16], "channels": 1, "name": "digits"}


@dsl.pipeline(name="edge", display_name="A model for devices")
def edge(
    source: str = "seaway_examples.digits.pictures:digits",
    options: dict = {},  # noqa: B006 - KFP keeps the default in the compiled file
    table: str = "digits",
    label: str = "digit",
    task: str = "multiclass",
    numeric: list = [],  # noqa: B006
    categorical: list = [],  # noqa: B006
    images: list = ["picture"],  # noqa: B006
    texts: list = [],  # noqa: B006
    entrypoint: str = "seaway.training.vision",
    params: dict = DIGITS,
    variants: list = VARIANTS,
    gate: dict = {"max_flips": 0.02, "max_loss": 0.05},  # noqa: B006
    limit: int = 1000,
    seed: int = 0,
):
    """Train a model, convert it for devices, and measure each conversion on held-out rows; the run fails at the gate.

    Args:
        source: `package.module:function` that gives the rows as a table.
        options: Arguments of `source`.
        table: Its table.
        label: Column of what is predicted.
        task: What it means to predict it.
        numeric: Inputs that are numbers.
        categorical: Inputs that are categories.
        images: Inputs that are pictures.
        texts: Inputs that are written for people.
        entrypoint: The trainer.
        params: What the trainer wants to know.
        variants: Targets and precisions to convert for, each with rules of its own, and with a bound where layers may
            stay in float32 for it; see `compare_edge`.
        gate: Rules for all of them.
        limit: At most so many held-out rows; 0 for all.
        seed: Of splits and weights.
    """
    tables = ingest_tables(source=source, options=options).set_display_name("Ingest tables")
    tables.set_cpu_request("1").set_memory_request("1Gi")
    examples = split_table(
        tables=tables.outputs["tables"], table=table, label=label, task=task, numeric=numeric, categorical=categorical,
        images=images, texts=texts, seed=seed,
    ).set_display_name("Split table").set_cpu_request("1").set_memory_request("1Gi")  # fmt: skip
    train, validation, test = (examples.outputs[name] for name in ("train", "validation", "test"))
    trained = train_pytorch(train=train, validation=validation, entrypoint=entrypoint, params=params, seed=seed)
    trained.set_display_name("Train network").set_cpu_request(WAITS).set_memory_request("2Gi")
    packed = package_model(model=trained.outputs["model"], train=train, parameters=params, seed=seed)
    packed.set_display_name("Package model").set_cpu_request("1").set_memory_request("1Gi")
    compared = compare_edge(
        model=packed.outputs["package"], train=train, test=test, validation=validation, variants=variants, gate=gate,
        limit=limit,
    )  # fmt: skip
    compared.set_display_name("Compare on devices").set_cpu_request("1").set_memory_request("4Gi")
    check_gate(evaluation=compared.outputs["comparison"]).set_display_name("Check gate").set_cpu_request("1")
