"""What answers on the device, a file a target: each imports NumPy and its runtime only, so that it travels alone."""
