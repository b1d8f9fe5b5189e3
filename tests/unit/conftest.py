"""One thread for each worker: PyTorch's own would stand in each other's way on the processors that workers share."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
