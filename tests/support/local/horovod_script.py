"""A script as those for Horovod are, beside the same training by DDP: both have to come to the same weights."""

import copy
import json
import os
from pathlib import Path

import horovod.torch as hvd
import torch

ROWS, EPOCHS, BATCH = 96, 3, 8
hvd.init()
torch.manual_seed(hvd.rank())  # each begins elsewhere, until the first one's weights are sent
random = torch.Generator().manual_seed(0)
inputs = torch.randn(ROWS, 3, generator=random)
labels = (inputs.sum(1, keepdim=True) > 0).float()
mine = slice(hvd.rank(), None, hvd.size())
model = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05 * hvd.size(), momentum=0.9)
hvd.broadcast_parameters(model.state_dict(), root_rank=0)
hvd.broadcast_optimizer_state(optimizer, root_rank=0)
other = copy.deepcopy(model)
optimizer = hvd.DistributedOptimizer(optimizer, named_parameters=model.named_parameters())


def learn(network, step, begin=0):
    for epoch in range(begin, EPOCHS):
        for rows, truth in zip(inputs[mine].split(BATCH), labels[mine].split(BATCH), strict=True):
            step.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(network(rows), truth).backward()
            step.step()
        yield epoch + 1


@hvd.elastic.run
def train(state):
    began = state.epoch
    for epoch in learn(state.model, state.optimizer, state.epoch):
        state.epoch = epoch
        state.commit()
        if state.epoch == int(os.environ.get("SEAWAY_TEST_END_AT", "0")):
            raise SystemExit("cut off")
    return began


began = train(hvd.elastic.TorchState(model, optimizer, epoch=0))
by_ddp = torch.nn.parallel.DistributedDataParallel(other)
for _ in learn(by_ddp, torch.optim.SGD(other.parameters(), lr=0.05 * hvd.size(), momentum=0.9)):
    pass
both = zip(model.parameters(), other.parameters(), strict=True)
difference = max(float((one - another).detach().abs().max()) for one, another in both)

gathered = hvd.allgather(torch.full((hvd.rank() + 1, 2), float(hvd.rank())))
figures = {
    "difference": float(hvd.allreduce(torch.tensor(difference), op=hvd.Max)),
    "mean_rank": float(hvd.allreduce(torch.tensor(float(hvd.rank())))),
    "sum_rank": float(hvd.allreduce(torch.tensor(float(hvd.rank())), op=hvd.Sum)),
    "gathered": float(gathered.sum()) + 100 * len(gathered),
    "told": float(hvd.broadcast_object({"rank": hvd.rank()}, root_rank=1)["rank"]),
    "began": float(began),
    "size": float(hvd.size()),
}
if hvd.rank() == 0:
    output = Path(os.environ["SEAWAY_OUTPUT"])
    (output / "metrics.json").write_text(json.dumps(figures))
    for name in ("model.pt2", "model.safetensors", "history.jsonl"):
        (output / name).write_text("")
    (output / "signature.json").write_text("{}")
hvd.shutdown()
