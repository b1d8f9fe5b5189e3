"""What Lambda's runtime imports and calls: importing it loads the model, in the function's start and not in a call."""

from seaway.model_server.aws_lambda.function import of_image

answer = of_image()
