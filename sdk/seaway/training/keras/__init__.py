"""The bundled trainer for networks of Keras 3, on torch: one Python file says what the network is.

Run on N processes as `python -m seaway.training.keras --spec spec.json`. Rows, tasks, steps, checkpoints and the export
are those of `seaway.training.tabular`.
"""
