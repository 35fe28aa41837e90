"""The rewrite that lets a convolution do its batch normalisation's work."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from ..arch import Aux, BatchNorm2d, Conv2d, ConvTranspose2d, Join, Node, StdConv2d, find, walk
from ..arch.walker import child_path
from .edits import edited
from .registry import DoesNotApply, register_rewrite
from .runs import replace, runs


def fusible(description: Node) -> Iterator[tuple[str, str]]:
    """The path of each convolution with that of the batch normalisation right behind it, which nothing else reads; what
    standardises its weights cannot scale them."""
    sources = {
        child_path(path, child.source)
        for path, node in walk(description)
        if isinstance(node, Join)
        for child in node
        if isinstance(child, Aux)
    }
    for run in runs(description):
        for (path, conv), (following, norm) in pairwise(run):
            fits = isinstance(conv, Conv2d | ConvTranspose2d) and following not in sources
            if fits and not isinstance(conv, StdConv2d) and isinstance(norm, BatchNorm2d) and norm.track_running_stats:
                yield path, following


@register_rewrite("Ioffe and Szegedy (2015), section 3.1, algorithm 2")
def fuse_batchnorm(description: Node) -> Node:
    """Each convolution does the work of the batch normalisation behind it, which is linear at inference: its
    weights are scaled, and it has a bias. `cnnzoo.pytorch.modules.fusion` does it to a module with its weights.
    """
    edits: dict[str, Node | None] = {}
    for path, norm in fusible(description):
        conv = find(description, path)
        assert isinstance(conv, Conv2d | ConvTranspose2d)
        edits |= {path: replace(conv, bias=True), norm: None}
    if not edits:
        raise DoesNotApply("no batch normalisation stands right behind a convolution")
    return edited(description, edits)
