"""A rendezvous of one node whose store cannot be reached from outside this machine."""

import datetime
import socket

from torch.distributed import PrefixStore, TCPStore
from torch.distributed.elastic.rendezvous import RendezvousHandler, RendezvousInfo, RendezvousStoreInfo

LOOPBACK = "127.0.0.1"
BACKLOG = 128


class LoopbackRendezvous(RendezvousHandler):
    """Gives the agent and its workers one TCPStore on 127.0.0.1, on a port that was free."""

    def __init__(self, run_id: str, timeout_s: float) -> None:
        self._run_id = run_id
        listener = socket.create_server((LOOPBACK, 0), backlog=BACKLOG)
        self._port: int = listener.getsockname()[1]
        self._store = TCPStore(
            host_name=LOOPBACK,
            port=self._port,
            is_master=True,
            timeout=datetime.timedelta(seconds=timeout_s),
            wait_for_workers=False,
            multi_tenant=True,
            master_listen_fd=listener.detach(),
        )

    @property
    def use_agent_store(self) -> bool:
        return True

    def get_backend(self) -> str:
        return "loopback"

    def next_rendezvous(self) -> RendezvousInfo:
        store = PrefixStore(self._run_id, self._store)
        return RendezvousInfo(store, 0, 1, RendezvousStoreInfo(LOOPBACK, self._port))

    def is_closed(self) -> bool:
        return False

    def set_closed(self) -> None:
        """Nothing waits for more nodes."""

    def num_nodes_waiting(self) -> int:
        return 0

    def get_run_id(self) -> str:
        return self._run_id

    def shutdown(self) -> bool:
        return True
