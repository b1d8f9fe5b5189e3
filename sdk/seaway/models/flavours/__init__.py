"""What a model is on disk: its files, how it is loaded safely, how it predicts."""
