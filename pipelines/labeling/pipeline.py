"""Labels by people: a model says what it is unsure of, people answer, and what they say teaches its successor."""

from kfp import dsl
from seaway_components.evaluation import check_gate, evaluate_model
from seaway_components.models import package_model
from seaway_components.training import train_pytorch
from seaway_pipelines.labeling.known import known_rows
from seaway_pipelines.labeling.people import ask_people

WAITS = "100m"  # of a core, for what waits for pods of its own


@dsl.pipeline(name="labeling", display_name="Labels by people")
def labeling(
    source: str,
    pool: str,
    queue: str,
    key: str,
    label: str,
    classes: list,
    shown: list,
    params: dict,
    numeric: list = [],  # noqa: B006 - KFP keeps the default in the compiled file
    categorical: list = [],  # noqa: B006
    texts: list = [],  # noqa: B006
    images: list = [],  # noqa: B006
    task: str = "multiclass",
    entrypoint: str = "seaway.training.tabular",
    options: dict = {},  # noqa: B006
    pool_options: dict = {},  # noqa: B006
    kind: str = "table",
    title: str = "",
    instructions: str = "",
    backend: str = "auto",
    count: int = 100,
    strategy: str = "margin",
    random_share: float = 0.1,
    embedding: list = [],  # noqa: B006
    votes: int = 2,
    share: float = 1.0,
    timeout_s: float = 604800.0,
    partial: bool = False,
    method: str = "dawid_skene",
    price: float = 0.0,
    least_confidence: float = 0.7,
    gate: dict = {"not_worse_than:production": 0.05},  # noqa: B006
    seed: int = 0,
):
    """Train on what is known, ask people about what the model is unsure of, train anew, and check the gate.

    One round; run it again for the next. Rows that a queue has are not sent to it twice.

    Args:
        source: `package.module:function` that gives the table `rows`, with labels.
        pool: The same for rows without labels.
        queue: Name of the queue that people answer.
        key: Column by which a row is known, in both tables.
        label: Column of the class.
        classes: The possible answers.
        shown: Columns that people see.
        params: What the trainer wants to know, such as {"label": "kind", "task": "multiclass", "numeric": ["size"]}.
        numeric: Inputs that are numbers.
        categorical: Inputs that are categories.
        texts: Inputs that are written for people.
        images: Inputs that are pictures.
        task: `binary` or `multiclass`.
        entrypoint: The trainer.
        options: Arguments of `source`.
        pool_options: Arguments of `pool`.
        kind: How people see a row: `text`, `image` or `table`.
        title: What they are asked.
        instructions: How to tell the classes apart.
        backend: Label queue: `folder` or `label-studio`.
        count: Rows to ask about, at most.
        strategy: `entropy`, `margin`, `badge`, `core_set` or `random`.
        random_share: Of these rows, that are drawn at random, for an audit.
        embedding: Columns that say what a row is like, for `badge` and `core_set`.
        votes: Annotators that have to label a row.
        share: Of the rows, that have to be labelled.
        timeout_s: Seconds that people have.
        partial: Whether fewer labels are taken then.
        method: `dawid_skene`, `mace` or `majority`.
        price: Of a label.
        least_confidence: Below it a label teaches nothing.
        gate: Rules that the new model must meet; `production` is the model before.
        seed: Of splits, weights, and all that is drawn.
    """
    known = known_rows(
        source=source, options=options, key=key, label=label, task=task, numeric=numeric, categorical=categorical,
        texts=texts, images=images, params=params, entrypoint=entrypoint, seed=seed,
    ).set_display_name("What is known")  # fmt: skip
    asked = ask_people(
        pool=pool, options=pool_options, model=known.outputs["package"], examples=known.outputs["train"], queue=queue,
        key=key, label=label, classes=classes, shown=shown, kind=kind, title=title, instructions=instructions,
        backend=backend, count=count, strategy=strategy, random_share=random_share, embedding=embedding, votes=votes,
        share=share, timeout_s=timeout_s, partial=partial, method=method, price=price,
        least_confidence=least_confidence, seed=seed,
    ).set_display_name("Ask people")  # fmt: skip
    trained = train_pytorch(
        train=asked.outputs["train"],
        validation=known.outputs["validation"],
        params=params,
        entrypoint=entrypoint,
        seed=seed,
    )
    model = trained.set_display_name("Train anew").set_cpu_request(WAITS).set_memory_request("2Gi").outputs["model"]
    evaluated = evaluate_model(
        model=model,
        train=asked.outputs["train"],
        test=known.outputs["test"],
        production=known.outputs["package"],
        gate=gate,
    )
    evaluation = evaluated.set_display_name("Evaluate model").set_cpu_request("1").outputs["evaluation"]
    opened = check_gate(evaluation=evaluation).set_display_name("Check gate").set_cpu_request("1")
    packed = package_model(
        model=model, train=asked.outputs["train"], evaluation=evaluation, parameters=params, seed=seed
    )
    packed.after(opened).set_display_name("Package model").set_cpu_request("1").set_memory_request("1Gi")
