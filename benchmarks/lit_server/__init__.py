"""LitServe, as its documentation serves a model, with batches of up to 32."""
