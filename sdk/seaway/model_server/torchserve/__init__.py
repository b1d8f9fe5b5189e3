"""TorchServe: its handler, its process, the TorchScript that it runs."""
