"""`POST /predict` with an object of one value an input."""

import sys

import litserve

from benchmarks.lit_server.model import Model

MOST, WAIT_S = 32, 0.001

if __name__ == "__main__":
    server = litserve.LitServer(Model(max_batch_size=MOST, batch_timeout=WAIT_S), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", generate_client_file=False)
