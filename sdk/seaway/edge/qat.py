"""Training in which a model feels the eight bits that it will have: quantization-aware training, by torchao.

Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference". What
comes out is the same graph in float32, whose weights have moved to where rounding does little: any target makes eight
bits of it as of every model. Means and deviations of batch normalisations stay as they are.
"""

from pathlib import Path
from typing import Any

import torch

from seaway.edge.finetuning import Trained, TuneParams, finetune, put_weights, write_tuned
from seaway.training.loop.teacher_params import TeacherParams

SOFT = TeacherParams("", soft=0.5)
IN_TRAINING = 5  # the argument of aten.batch_norm that says so


def train_for_int8(
    model: Path,
    train: Path,
    validation: Path,
    output: Path,
    epochs: int = 3,
    learning_rate: float = 1e-4,
    seed: int = 0,
) -> dict[str, Any]:
    """Write a trained model's files, and give the figures of the best epoch, as eight bits will have them.

    Args:
        model: Package, or trained model, of a graph of torch.export whose signature says a task.
        train: Parquet file of training rows with the label.
        validation: Parquet file of the rows that early stopping looks at.
        output: Folder of the model that comes out.
        epochs: Passes over the rows, at most.
        learning_rate: Peak of the one-cycle schedule; small, since the model is trained already.
        seed: Of the order of rows.

    Raises:
        InvalidSpec: the model is of another flavour or says no task, or torchao is not installed.
        DataUnreadable: rows lack an input or the label.
        TrainingFailed: the loss is no number any more.
    """
    found = Trained.read(model, train, validation)
    params = TuneParams(label=found.task.target.label, epochs=epochs, learning_rate=learning_rate)
    lesson = found.lesson(SOFT)
    graph = felt_in_int8(found.program.module())
    fit = finetune(found, graph, params, seed, lesson)
    put_weights(found.program, dict(graph.named_parameters()))
    write_tuned(found.program, model, output)
    return dict(fit.history[fit.best_epoch - 1])


def felt_in_int8(graph: Any) -> Any:
    """The graph with weights and values rounded to eight bits on the way, gradients passing as if they were not."""
    from torchao.quantization.pt2e.quantize_pt2e import prepare_qat_pt2e

    from seaway.edge.targets.executorch import xnnpack_quantizer

    felt = prepare_qat_pt2e(graph, xnnpack_quantizer(qat=True))
    for node in felt.graph.nodes:
        if node.target is torch.ops.aten.batch_norm.default:
            node.update_arg(IN_TRAINING, False)
    felt.recompile()
    return felt
