"""Horovod's interface on torch.distributed: its last release does not build with PyTorch 2.1 or later."""

__version__ = "0.28.1"  # whose interface this is
