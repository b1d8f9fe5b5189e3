"""The bundled trainer for texts: one of transformers' encoders, with a new head.

Run on N processes as `python -m seaway.training.text --spec spec.json`. Nothing is fetched: an encoder starts at
random with a tokenizer learnt from the training rows, or from a folder that holds both.
"""
