"""A server of one Python process and no Java: uvicorn, with batches of whatever waits while the model computes."""
