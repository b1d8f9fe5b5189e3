"""The Open Inference Protocol: values as JSON and as protobuf."""
