"""Rewrites of 1x1 convolutions: without those that narrow, all of them 3x3, and where a block's stride is."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

from ..arch import Conv2d, Node
from ..arch.node import pair
from ..errors import InvalidValueError
from .edits import edited
from .registry import DoesNotApply, register_rewrite
from .runs import Run, channels, convolutions, forks, paddings, replace, runs, times


def is_1x1(conv: Conv2d) -> bool:
    """Whether it is a full 1x1 convolution that pads nothing."""
    return conv.kernel_size == 1 and conv.groups == 1 and paddings(conv) == (0, 0)


@lru_cache(maxsize=16)
def reductions(description: Node) -> list[tuple[Run, Conv2d, Conv2d]]:
    """Every 1x1 convolution before a larger kernel: the run from it up to that one, and the two."""
    return [
        (run[first : second + 1], conv, larger)
        for run in runs(description)
        for stretch in convolutions(run)
        for (first, conv), (second, larger) in pairwise(stretch)
        if is_1x1(conv) and larger.kernel_size != 1 and (conv.stride == 1 or keeps_size(larger))
    ]


def keeps_size(conv: Conv2d) -> bool:
    """Whether only the stride makes its output smaller, so that a stride before it may as well be in it."""
    padded = paddings(conv)
    return padded is not None and all(
        2 * before == side.extent - 1 for before, side in zip(padded, conv._axes(), strict=True)
    )


def shared_reductions(description: Node) -> list[tuple[Run, Conv2d, list[Conv2d]]]:
    """Every 1x1 convolution that several others alone read, of which one at least is larger: the run from it on, and
    the convolutions."""
    found = []
    for run, behind in forks(description):
        readers = [one for other in behind for _, one in convolutions(other)[0][:1]]
        larger = any(one.kernel_size != 1 for one in readers)
        for first, conv in convolutions(run)[-1][-1:]:
            if is_1x1(conv) and conv.stride == 1 and larger and len(readers) == len(behind):
                found.append((run[first:], conv, readers))
    return found


@register_rewrite(
    "Szegedy et al. (2014), section 4 and figure 2a; He et al. (2015), section 4.1; Huang et al. (2016), section 3"
)
def drop_reductions(description: Node, which: str = "narrowing") -> Node:
    """Without the 1x1 convolutions that narrow before a larger kernel: the naive Inception module, the residual and
    the dense layer without their bottleneck.

    With each go the normalisation and the activation behind it; its stride goes to the larger kernel, which now
    reads the wide maps. The fire module of SqueezeNet has one that two read. `which="every"` also drops those that do
    not narrow, as in DenseNet's first layers.
    """
    if which not in ("narrowing", "every"):
        raise InvalidValueError(f"drop_reductions takes 'narrowing' or 'every', got {which!r}")
    into = channels(description)
    edits: dict[str, Node | None] = {}
    for stretch, conv, larger in reductions(description):
        wide = into.get(stretch[0].path)
        narrows = wide is not None and conv.out_channels < wide
        if (which == "every" or narrows) and _reads_any(larger, conv.out_channels, wide):
            edits |= {path: None for path, _ in stretch[:-1]}
            padding = larger.padding if conv.stride == 1 else paddings(larger)
            assert padding is not None
            edits[stretch[-1].path] = replace(larger, stride=times(conv.stride, larger.stride), padding=padding)
    for stretch, conv, readers in shared_reductions(description):
        wide = into.get(stretch[0].path)
        narrows = wide is not None and conv.out_channels < wide
        if (which == "every" or narrows) and all(_reads_any(one, conv.out_channels, wide) for one in readers):
            edits |= {path: None for path, _ in stretch}
    if not edits:
        raise DoesNotApply("no 1x1 convolution narrows before a larger kernel")
    return edited(description, edits)


def _reads_any(conv: Conv2d, narrow: int, wide: int | None) -> bool:
    """Whether a convolution of `narrow` maps may read `wide` ones: one with a filter a channel may not."""
    return conv.groups == 1 or (conv.groups != narrow and wide is not None and wide % conv.groups == 0)


@register_rewrite("Simonyan and Zisserman (2014), section 2.3 and table 1, configurations C and D")
def widen_1x1(description: Node) -> Node:
    """Every 1x1 convolution becomes a 3x3 of the same output size: nine times its weights and MACs.

    `vgg16c` becomes `vgg16`.
    """
    edits: dict[str, Node | None] = {}
    for run in runs(description):
        for path, conv in run:
            if isinstance(conv, Conv2d) and conv.kernel_size == 1 and (before := paddings(conv)) is not None:
                padding = tuple(one + step for one, step in zip(before, pair(conv.dilation), strict=True))
                same = conv.padding == "same"
                edits[path] = replace(conv, kernel_size=3, padding="same" if same else (padding[0], padding[1]))
    if not edits:
        raise DoesNotApply("there is no 1x1 convolution")
    return edited(description, edits)


@register_rewrite("He et al. (2015), table 1; Goyal et al. (2017), section 5.1, for the stride on the 3x3")
def stride_on_1x1(description: Node) -> Node:
    """A bottleneck's stride on its first 1x1, as in the paper: `resnet50` becomes `resnet50_v1`.

    Parameters and sizes are the same, the MACs fewer.
    """
    edits: dict[str, Node | None] = {}
    for stretch, conv, larger in reductions(description):
        if conv.stride == 1 and larger.stride != 1 and keeps_size(larger):
            edits[stretch[0].path] = replace(conv, stride=larger.stride)
            edits[stretch[-1].path] = replace(larger, stride=1)
    if not edits:
        raise DoesNotApply("no 1x1 convolution stands before a larger one with a stride")
    return edited(description, edits)


@register_rewrite("Goyal et al. (2017), section 5.1; torchvision's ResNet, known as v1.5")
def stride_on_3x3(description: Node) -> Node:
    """A bottleneck's stride on its 3x3, as in today's checkpoints: `resnet50_v1` becomes `resnet50`."""
    edits: dict[str, Node | None] = {}
    for stretch, conv, larger in reductions(description):
        padding = paddings(larger)
        if conv.stride != 1 and larger.stride == 1 and padding is not None:
            edits[stretch[0].path] = replace(conv, stride=1)
            edits[stretch[-1].path] = replace(larger, stride=conv.stride, padding=padding)
    if not edits:
        raise DoesNotApply("no 1x1 convolution with a stride stands before a larger one")
    return edited(description, edits)
