"""Training by PyTorchJob and TrainJob."""
