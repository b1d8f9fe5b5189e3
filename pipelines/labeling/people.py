"""The second part of the labeling pipeline: people say what the model is unsure of."""

from typing import NamedTuple

from kfp import dsl
from seaway_components.data import ingest_tables
from seaway_components.labeling import (
    add_labels,
    aggregate_labels,
    choose_to_label,
    collect_labels,
    send_to_label,
)
from seaway_components.serving import predict_batch

WAITS = "100m"  # of a core, for what asks a service or waits for people


class Answered(NamedTuple):
    train: dsl.Dataset
    audit: dsl.Dataset


@dsl.pipeline(name="labeling-people", display_name="Ask people: predict, choose, send, collect, aggregate")
def ask_people(
    model: dsl.Input[dsl.Model],
    examples: dsl.Input[dsl.Dataset],
    pool: str,
    options: dict,
    queue: str,
    key: str,
    label: str,
    classes: list,
    shown: list,
    kind: str,
    title: str,
    instructions: str,
    backend: str,
    count: int,
    strategy: str,
    random_share: float,
    embedding: list,
    votes: int,
    share: float,
    timeout_s: float,
    partial: bool,
    method: str,
    price: float,
    least_confidence: float,
    seed: int,
) -> Answered:
    """Read the rows without labels, ask about those that teach most, and add what people say to the examples.

    Nothing of it is reused: a queue has more answers each time that it is asked.
    """
    ingested = ingest_tables(source=pool, options=options).set_display_name("Ingest pool").set_cpu_request("1")
    rows = ingested.outputs["tables"]
    predicted = predict_batch(model=model, rows=rows, keep=[key]).set_display_name("Predict").set_cpu_request("1")
    picked = choose_to_label(
        pool=rows,
        model=model,
        predictions=predicted.outputs["predictions"],
        key=key,
        count=count,
        strategy=strategy,
        random_share=random_share,
        embedding=embedding,
        seed=seed,
    )
    chosen = picked.set_display_name("Choose").set_cpu_request("1").outputs["chosen"]
    asked = send_to_label(
        rows=chosen,
        queue=queue,
        key=key,
        classes=classes,
        shown=shown,
        kind=kind,
        title=title,
        instructions=instructions,
        backend=backend,
    )
    sent = asked.set_display_name("Send").set_cpu_request(WAITS).set_caching_options(False).outputs["sent"]
    waited = collect_labels(sent=sent, votes=votes, share=share, timeout_s=timeout_s, partial=partial, poll_s=2.0)
    collected = waited.set_display_name("Collect").set_cpu_request(WAITS).set_caching_options(False)
    reckoned = aggregate_labels(labels=collected.outputs["labels"], sent=sent, method=method, price=price)
    aggregated = reckoned.set_display_name("Aggregate").set_cpu_request("1").outputs["aggregated"]
    added = add_labels(
        rows=chosen, labels=aggregated, examples=examples, key=key, label=label, least_confidence=least_confidence
    )
    made = added.set_display_name("Add labels").set_cpu_request("1").outputs
    return Answered(train=made["train"], audit=made["audit"])
