"""The bundled trainer for pictures: a convolutional network, or one of torchvision's by its name.

Run on N processes as `python -m seaway.training.vision --spec spec.json`. Weights start at random: nothing is fetched.
"""
