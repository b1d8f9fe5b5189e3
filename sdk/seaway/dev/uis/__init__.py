"""The pages of other programs behind the one address of `seaway dev`: MLflow, TensorBoard, Evidently, Feast."""
