"""What a process of several does: in a module of its own, as each imports the one where it stands."""

import torch
import torch.distributed
from small import small_net
from torch import nn


def without_dropout(net):
    """Nothing is drawn anew each time: the chance of what drops values, channels or blocks is 0."""
    for module in net.modules():
        if isinstance(getattr(module, "p", None), float):
            module.p = 0.0
    return net


def distributed_step(rank: int, folder: str, names: list[str]) -> None:
    """One of two processes: a step on its half of the batch; the gradients are the mean of both halves'."""
    torch.set_num_threads(1)
    store = f"file://{folder}/store"
    torch.distributed.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    for name in names:
        net, x = small_net(name)
        net.eval() if name != "googlenet" else without_dropout(net)
        idle = not net.training and "AuxLogits" in dict(net.named_children())  # a head that runs in training only
        parallel = nn.parallel.DistributedDataParallel(net, find_unused_parameters=idle)
        out = parallel(x[rank : rank + 1])
        (sum(out) if isinstance(out, tuple) else out).sum().backward()
        if rank == 0:
            torch.save({key: one.grad for key, one in net.named_parameters()}, f"{folder}/{name}.pt")
    torch.distributed.destroy_process_group()
