from kfp import dsl
from seaway.kfp import component


@component
def augment_examples(
    train: dsl.Input[dsl.Dataset],
    examples: dsl.Output[dsl.Dataset],
    label: str,
    numeric: list = [],  # noqa: B006 - KFP takes the default from the source text
    texts: list = [],  # noqa: B006
    images: list = [],  # noqa: B006
    noise: float = 0.0,
    mixup: float = 0.0,
    drop: float = 0.0,
    swap: float = 0.0,
    replace: float = 0.0,
    transforms: dict = {},  # noqa: B006
    copies: int = 1,
    classes: list = [],  # noqa: B006
    seed: int = 0,
):
    """Put changed copies behind training examples: numbers with noise, texts with other words, pictures transformed.

    Give it the training split only. A later step that is given copies to validate or test by, or rows of which a model
    has seen a copy, refuses them.

    Args:
        train: Training examples.
        examples: These and the copies, which the columns `augmented` and `augmented_from` tell.
        label: Column of the class, which a copy keeps.
        numeric: Columns of numbers, for `noise` and `mixup`.
        texts: Columns of texts, for `drop`, `swap` and `replace`.
        images: Columns of encoded pictures, for `transforms`.
        noise: Deviation of the noise, as a share of the column's.
        mixup: Alpha of the Beta distribution by which a row is moved towards another of its class; 0 moves none.
        drop: Probability that a word is left out.
        swap: Probability that a word changes places with the next.
        replace: Probability that a word is replaced by another of the training texts, drawn by its frequency.
        transforms: Of `torchvision.transforms.v2`, such as {"RandomRotation": {"degrees": 8}}.
        copies: Of each row.
        classes: Whose rows are copied; none for all.
        seed: Of all that is drawn.

    Raises:
        DataUnreadable: a column is missing or of another kind, no row is of a class, or rows were augmented before.
        InvalidSpec: nothing would be changed, or a value is out of range.
    """
    from pathlib import Path

    from seaway.data.augmentation import Changes, augment
    from seaway.data.origin import carry

    changes = Changes(
        label, numeric, texts, images, noise, mixup, drop, swap, replace, transforms, copies, classes, seed
    )
    count = augment(Path(train.path), changes, Path(examples.path))
    carry([train.metadata], [examples.metadata])
    examples.metadata["summary"] = f"{count:,} changed copies"
