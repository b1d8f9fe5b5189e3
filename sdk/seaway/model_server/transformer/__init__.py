"""A server before an endpoint that takes entity keys and looks the model's features up."""
