"""Units of attention, said as descriptions with the names of timm's modules."""

from cnnzoo.arch import (
    Add,
    BatchNorm2d,
    Chunk,
    Concat,
    Conv2d,
    From,
    Gate,
    Max,
    Mean,
    ModuleList,
    Multiply,
    ReLU,
    Run,
    Sequential,
    Sigmoid,
    Softmax,
    Stack,
    Sum,
    Unflatten,
)


def selective_kernel() -> Sequential:
    """Li et al. (2019), section 3.1, for 64 channels: split, fuse, select; as in timm each kernel sees half of the
    channels, and the 5x5 is a 3x3 with dilation 2."""

    def path(dilation: int) -> Sequential:
        return Sequential(
            conv=Conv2d(64, 3, padding=dilation, dilation=dilation, bias=False),
            bn=BatchNorm2d(),
            relu=ReLU(),
        )

    return Sequential(
        paths=ModuleList(path(1), path(2)),
        half0=Chunk(2, 0),
        path0=Run("paths.0"),
        half1=From("input", Chunk(2, 1)),
        path1=Run("paths.1"),
        split=Stack("path0", "path1"),
        attn=Sequential(
            fuse=Sum(1),
            pool=Mean((2, 3), keepdim=True),
            fc_reduce=Conv2d(8, 1, bias=False),
            bn=BatchNorm2d(),
            act=ReLU(),
            fc_select=Conv2d(2 * 64, 1, bias=False),
            by_path=Unflatten(1, (2, 64)),
            softmax=Softmax(1),
        ),
        select=Multiply("split", "attn"),
        out=Sum(1),
    )


def cbam() -> Sequential:
    """Woo et al. (2018), section 3, for 64 channels: a gate for each channel, from its mean and its maximum by the same
    two layers, then one for each position, from the mean and the maximum of its channels."""
    return Sequential(
        channel=Sequential(
            mean=Mean((2, 3), keepdim=True),
            fc1=Conv2d(4, 1, bias=False),
            act=ReLU(),
            fc2=Conv2d(64, 1, bias=False),
            max=From("input", Max((2, 3), keepdim=True)),
            max1=Run("fc1"),
            max_act=Run("act"),
            max2=Run("fc2"),
            sum=Add("fc2", "max2"),
            gate=Sigmoid(),
            out=Multiply("input", "gate"),
        ),
        spatial=Gate(
            maps=Concat(Mean(1, keepdim=True), Max(1, keepdim=True)),
            conv=Sequential(conv=Conv2d(1, 7, padding=3, bias=False), bn=BatchNorm2d()),
            gate=Sigmoid(),
        ),
    )
