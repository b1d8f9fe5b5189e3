from kfp import dsl
from seaway.kfp import component


@component
def collect_labels(
    sent: dsl.Input[dsl.Artifact],
    labels: dsl.Output[dsl.Dataset],
    votes: int = 1,
    share: float = 1.0,
    timeout_s: float = 604800.0,
    partial: bool = False,
    poll_s: float = 10.0,
) -> int:
    """Wait for people's labels; tried again after an end, it finds what was labelled meanwhile.

    Args:
        sent: Made by `send_to_label`.
        labels: One Parquet file, a row a label: `key`, `annotator`, `label`, `seconds`.
        votes: Labels by different annotators that make an item answered.
        share: Of the items, that have to be answered.
        timeout_s: Seconds after which no more is waited for; 0 looks once.
        partial: Whether to go on then with what there is, if there is any.
        poll_s: Seconds between two looks.

    Returns:
        How many labels there are.

    Raises:
        TimedOut: too few items are labelled in time; what is labelled stays in the queue.
        LabelsUnavailable: the queue is gone, or does not answer at the last look.
    """
    import logging
    from pathlib import Path

    from seaway import platforms
    from seaway.labeling import LabelQueue, Wanted, wait_for
    from seaway.labeling.results import write_labels
    from seaway.labeling.sending import Sent

    asked = Sent.read(Path(sent.path))
    port = platforms.current(LabelQueue, asked.backend)
    tell = logging.getLogger("seaway.labeling").info
    tell("Waiting for labels at %s", asked.address)
    wanted = Wanted(votes, share, timeout_s, partial, poll_s)
    answers = wait_for(port, asked.queue, asked.keys, wanted, tell)
    write_labels(answers.labels, Path(labels.path))
    labels.metadata["refused"] = list(answers.refused)
    labels.metadata["summary"] = f"{len(answers.labels):,} labels, {len(answers.refused)} that cannot be used"
    return len(answers.labels)
