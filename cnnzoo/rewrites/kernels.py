"""Rewrites of kernels: stacks of small ones, large ones, groups, and one filter a channel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain, islice, pairwise

from ..arch import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Layer,
    LocalResponseNorm,
    Node,
    Scale,
    Sequential,
    Shift,
    TableConv2d,
)
from ..arch.node import pair
from ..errors import InvalidValueError
from .edits import edited
from .pointwise import is_1x1
from .registry import DoesNotApply, register_rewrite
from .runs import Run, channels, convolutions, is_pointwise, paddings, replace, runs, times

MOST = 3
"""Convolutions that are merged into one at the most: a 7x7."""


def stacks(description: Node) -> Iterator[Run]:
    """Two or three 3x3 convolutions of as many channels, one after the other in one block, from the first to the
    last of them; also a 1xn and an nx1."""
    for run in runs(description):
        for stretch in convolutions(run):
            blocks = _blocks([run[index].path for index, _ in stretch])
            stack: list[int] = []
            before = None
            for (index, conv), block in zip(stretch, blocks, strict=True):
                here = (block, conv.out_channels) if _small(conv) else None
                if here != before or conv.stride != 1:
                    yield from _in_threes(run, stack)
                    stack = []
                if here:
                    stack.append(index)
                before = here
            yield from _in_threes(run, stack)


def _small(conv: Conv2d) -> bool:
    """Whether it can be part of a stack: a 3x3, or a kernel along one axis alone."""
    kernel = pair(conv.kernel_size)
    fits = kernel == (3, 3) or (1 in kernel and kernel != (1, 1))
    return fits and conv.groups == 1 and conv.dilation == 1 and paddings(conv) is not None


def _in_threes(run: Run, stack: list[int]) -> Iterator[Run]:
    """The part of a run from the first to the last of each two or three convolutions of a stack: four are two and two,
    five three and two."""
    parts = -(-len(stack) // MOST)
    rest = iter(stack)
    for number in range(parts):
        part = list(islice(rest, (len(stack) + parts - 1 - number) // parts))
        if len(part) > 1:
            yield run[part[0] : part[-1] + 1]


def _blocks(paths: Sequence[str]) -> list[str]:
    """For each convolution the innermost block that holds another one too."""
    held = Counter(block for path in paths for block in _above(path))
    return [next((block for block in _above(path) if held[block] > 1), "") for path in paths]


def _above(path: str) -> list[str]:
    """The blocks that a path stands in, innermost first."""
    parts = path.split(".")
    return [".".join(parts[:depth]) for depth in range(len(parts) - 1, -1, -1)]


@register_rewrite("Simonyan and Zisserman (2014), section 2.3")
def merge_stacks(description: Node) -> Node:
    """Two 3x3 convolutions become one 5x5, three one 7x7, with the same receptive field and output size.

    Between them the normalisations and activations go, and the merged one is where the last one was. Merged are
    those of one block with as many channels and no groups; a stride only on the first; four are two and two.
    """
    edits: dict[str, Node | None] = {}
    for stack in stacks(description):
        edits |= {path: None for path, _ in stack[:-1]}
        edits[stack[-1].path] = merged([conv for _, conv in stack if isinstance(conv, Conv2d)])
    if not edits:
        raise DoesNotApply("no block has two 3x3 convolutions of as many channels in a row")
    return edited(description, edits)


def merged(convs: Sequence[Conv2d]) -> Conv2d:
    """One convolution that sees what several see, one after the other."""
    kernel, stride, padding = [1, 1], (1, 1), [0, 0]
    for conv in convs:
        before = paddings(conv)
        assert before is not None
        for axis in (0, 1):
            kernel[axis] += (pair(conv.kernel_size)[axis] - 1) * stride[axis]
            padding[axis] += before[axis] * stride[axis]
        stride = times(stride, conv.stride)
    last = convs[-1]
    return replace(last, kernel_size=(kernel[0], kernel[1]), stride=stride, padding=(padding[0], padding[1]))


@register_rewrite("Simonyan and Zisserman (2014), section 2.3; Szegedy et al. (2015), section 3")
def factorise(description: Node, into: str = "3x3") -> Node:
    """Each larger kernel becomes a stack of 3x3 convolutions; `into="1xn"`: a 1xn and an nx1, of a 3x3 too.

    Each of the stack is followed by what follows the one: its normalisation and activation. A stride is on the
    first of a stack of 3x3, as in Inception-v2's and later ResNets' first layers, so that sizes are the same and
    each position sees more; without a stride the receptive field is the same, too.
    """
    if into not in ("3x3", "1xn"):
        raise InvalidValueError(f"factorise takes '3x3' or '1xn', got {into!r}")
    parts = _threes if into == "3x3" else _sides
    edits: dict[str, Node | None] = {}
    for run in runs(description):
        for index, (path, conv) in enumerate(run):
            if isinstance(conv, Conv2d) and conv.dilation == 1 and (found := parts(conv)):
                edits[path] = _interleaved(found, following(run, index))
    if not edits:
        what = "an odd square kernel larger than 3x3" if into == "3x3" else "a square kernel larger than 1x1"
        raise DoesNotApply(f"no convolution has {what}")
    return edited(description, edits)


def _threes(conv: Conv2d) -> list[Conv2d]:
    """A stack of 3x3 convolutions for an odd square kernel, with outputs of the same size: the first has the stride
    and what padding the others leave."""
    kernel, before = conv.kernel_size, paddings(conv)
    if before is None or not isinstance(kernel, int) or kernel < 5 or kernel % 2 == 0:
        return []
    count = kernel // 2
    if conv.padding == "same":
        return [replace(conv, kernel_size=3)] * count
    first, later = zip(*(_shared(count, *axis) for axis in zip(before, pair(conv.stride), strict=True)), strict=True)
    rest = [
        replace(conv, kernel_size=3, stride=1, padding=(int(number < later[0]), int(number < later[1])))
        for number in range(count - 1)
    ]
    return [replace(conv, kernel_size=3, padding=first), *rest]


def _shared(count: int, padding: int, stride: int) -> tuple[int, int]:
    """The padding of the first of `count` 3x3 convolutions, which has the stride, and how many of the others pad 1.

    n + 2 padding - (2 count + 1), divided by the stride, must come out the same, so what one of the others
    lacks the first has `stride` times.
    """
    lacking = max(0, -((padding - count + 1) // stride))
    return padding - (count - 1) + stride * lacking, count - 1 - lacking


def _sides(conv: Conv2d) -> list[Conv2d]:
    """A 1xn and an nx1 convolution that together do an nxn convolution's work; none where padding does not allow it."""
    kernel, before = conv.kernel_size, paddings(conv)
    if before is None or not isinstance(kernel, int) or kernel == 1:
        return []
    (up, left), (down, across) = before, pair(conv.stride)
    if conv.padding == "same":
        return [replace(conv, kernel_size=(1, kernel)), replace(conv, kernel_size=(kernel, 1))]
    return [
        replace(conv, kernel_size=(1, kernel), stride=(1, across), padding=(0, left)),
        replace(conv, kernel_size=(kernel, 1), stride=(down, 1), padding=(up, 0)),
    ]


@register_rewrite("Krizhevsky et al. (2012), section 3.2 and figure 2; LeCun et al. (1998), section II.B and table I")
def ungroup(description: Node) -> Node:
    """Every convolution in one group, and one with a table of connections as a full one: each output map reads all
    input maps."""
    edits: dict[str, Node | None] = {}
    for run in runs(description):
        for path, conv in run:
            if isinstance(conv, Conv2d | ConvTranspose2d) and conv.groups > 1:
                edits[path] = replace(conv, groups=1)
            elif isinstance(conv, TableConv2d):
                edits[path] = Conv2d(len(conv.table), conv.kernel_size)
    if not edits:
        raise DoesNotApply("no convolution has groups or a table of connections")
    return edited(description, edits)


@register_rewrite("Howard et al. (2017), section 3.1")
def depthwise_separable(description: Node) -> Node:
    """Each convolution larger than 1x1 becomes one filter a channel and a 1x1 that mixes them.

    Both are followed by what follows the one: its normalisation and activation. What reads the image is left as
    it is, as in MobileNet, and so is what has groups. The work is 1 / N + 1 / D^2 of before, for N output
    channels and kernels of DxD.
    """
    into = channels(description)
    edits: dict[str, Node | None] = {}
    for run in runs(description):
        for index, (path, conv) in enumerate(run):
            if isinstance(conv, Conv2d) and conv.kernel_size != 1 and conv.groups == 1 and path in into:
                each = replace(conv, out_channels=into[path], groups=into[path])
                mixed = replace(conv, kernel_size=1, stride=1, padding=0, dilation=1)
                edits[path] = _interleaved([each, mixed], following(run, index))
    if not edits:
        raise DoesNotApply("behind the first layer there is no convolution larger than 1x1 without groups")
    return edited(description, edits)


@register_rewrite('Howard et al. (2017), section 3.1 and table 4, "Conv MobileNet"')
def merge_separable(description: Node) -> Node:
    """A convolution of one filter a channel and the 1x1 that mixes what it gives become one full convolution.

    It has the kernel, stride and padding of the first, the channels and the place of the second, and sees as much;
    between them the normalisation and the activation go. Where a gate or anything else stands between, they stay two.
    """
    into = channels(description)
    edits: dict[str, Node | None] = {}
    for run in runs(description):
        for (first, each), (second, mixing) in chain.from_iterable(map(pairwise, convolutions(run))):
            if 1 < each.groups == into.get(run[first].path) and is_1x1(mixing) and mixing.stride == 1:
                edits |= {path: None for path, _ in run[first:second]}
                edits[run[second].path] = replace(each, out_channels=mixing.out_channels, groups=1, bias=mixing.bias)
    if not edits:
        raise DoesNotApply("there is no convolution of one filter a channel with a 1x1 behind it")
    return edited(description, edits)


def following(run: Run, index: int) -> list[Layer]:
    """The normalisation and the activation that follow a place in a run."""
    found: list[Layer] = []
    for _, layer in run[index + 1 :]:
        if not is_pointwise(layer) or layer.is_view or isinstance(layer, LocalResponseNorm | Scale | Shift):
            break
        found.append(layer)
        if not isinstance(layer, BatchNorm2d):
            break
    return found


def _interleaved(convs: Sequence[Conv2d], between: Sequence[Layer]) -> Sequential:
    """The convolutions in a row, with `between` after each but the last."""
    first = (layer for conv in convs[:-1] for layer in (conv, *between))
    return Sequential(*first, convs[-1])
