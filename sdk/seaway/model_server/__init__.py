"""What answers requests beside a model, on a laptop and in a pod alike."""
