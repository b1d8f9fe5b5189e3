"""The bundled trainer for tables: a multilayer perceptron over embeddings and standardised numbers.

Run on N processes as `python -m seaway.training.tabular --spec spec.json`. Without hidden layers and with embeddings
of size 1 it is logistic regression.
"""

PRELOADED = (  # what every worker needs, optimizers and torch.export import torch._dynamo when first used
    "torch._dynamo",
    "torch.utils.tensorboard",
    "seaway.training.tabular.fitting",
    "seaway.training.tabular.export",
)
