"""The bundled trainer for tables: a multilayer perceptron over embeddings and standardised numbers.

Run on N processes as `python -m seaway.training.tabular --spec spec.json`. Without hidden layers and with embeddings
of size 1 it is logistic regression.
"""

PRELOADED = (  # what every worker needs; what is first used late (by optimizers, np.unique, safetensors) by its name
    "numpy.ctypeslib",
    "numpy.ma",
    "torch._dynamo",
    "torch.utils.tensorboard",
    "seaway.training.loop",
    "seaway.training.tabular.export",
)
