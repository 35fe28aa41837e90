"""Networks with steps, in small, each with the sizes of its inputs: what a test of steps runs over."""

from __future__ import annotations

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    Aux,
    BatchNorm2d,
    Cat,
    ChannelShuffle,
    Chunk,
    Concat,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    From,
    Gate,
    Linear,
    MatMul,
    MaxPool2d,
    ModuleList,
    Multiply,
    Node,
    Outputs,
    Permute,
    ReLU,
    Residual,
    Run,
    Scale,
    Sequential,
    Shape,
    Sigmoid,
    Softmax,
    Stack,
    Subtract,
    Unflatten,
    Upsample,
)
from cnnzoo.models.squeezenet import fire


def conv(channels: int, kernel_size: int, **settings: int) -> Sequential:
    return Sequential(conv=Conv2d(channels, kernel_size, bias=False, **settings), bn=BatchNorm2d(), relu=ReLU())


def squeeze_excitation(channels: int) -> Gate:
    """Hu et al. (2017), figure 2."""
    return Gate(
        avgpool=AdaptiveAvgPool2d(1), fc1=Conv2d(2, 1), activation=ReLU(), fc2=Conv2d(channels, 1), scale=Sigmoid()
    )


def shuffle_unit(channels: int) -> Sequential:
    """Ma et al. (2018), figure 3 (c)."""
    return Sequential(
        left=Chunk(2, 0),
        right=From("input", Chunk(2, 1)),
        branch2=Sequential(conv(channels, 1), conv(channels, 3, padding=1)),
        cat=Cat("left", "branch2"),
        shuffle=ChannelShuffle(2),
    )


def up(channels: int) -> Sequential:
    """An up-convolution, the map of the contracting path beside it; Ronneberger et al. (2015), figure 1."""
    return Sequential(
        up=From("input.0", ConvTranspose2d(channels, 2, stride=2)),
        skip=Cat("input.1", "up"),
        conv=conv(channels, 3, padding=1),
    )


def unet() -> Sequential:
    return Sequential(
        encoder=Sequential(
            block1=conv(4, 3, padding=1),
            pool1=MaxPool2d(2),
            block2=conv(6, 3, padding=1),
            pool2=MaxPool2d(2),
            block3=conv(8, 3, padding=1),
        ),
        decoder=From(
            "encoder",
            "encoder.block2",
            "encoder.block1",
            Sequential(up2=From("input.0", "input.1", up(6)), up1=From("up2", "input.2", up(4))),
        ),
        head=Conv2d(2, 1),
    )


def pyramid(channels: int) -> Sequential:
    """Three maps, each with what is coarser added; Lin et al. (2016), figure 3."""
    return Sequential(
        c3=conv(channels, 3, stride=2, padding=1),
        c4=conv(channels, 3, stride=2, padding=1),
        p4=Conv2d(channels, 1),
        up=Upsample(scale_factor=2),
        lateral=From("c3", Conv2d(channels, 1)),
        p3=Add("lateral", "up"),
        out=Outputs("p3", "p4"),
    )


def retina(channels: int, outputs: int) -> Sequential:
    """One head on every map of the pyramid; Lin et al. (2017), figure 3."""
    return Sequential(
        fpn=pyramid(channels),
        head=From(
            "fpn.p3",
            Sequential(conv=Conv2d(channels, 3, padding=1), relu=ReLU(), cls=Conv2d(outputs, 3, padding=1)),
        ),
        head4=Run("head", "fpn.p4"),
        out=Outputs("head", "head4"),
    )


def siamese() -> Sequential:
    """One tower for both images; Bromley et al. (1993)."""
    tower = Sequential(conv=Conv2d(4, 3, stride=2), relu=ReLU(), pool=AdaptiveAvgPool2d(2), flat=Flatten())
    return Sequential(
        tower=From("input.0", tower), other=Run("tower", "input.1"), difference=Subtract("tower", "other"), fc=Linear(2)
    )


def basic(channels: int) -> Residual:
    return Residual(
        conv1=Conv2d(channels, 3, padding=1, bias=False),
        bn1=BatchNorm2d(),
        relu1=ReLU(),
        conv2=Conv2d(channels, 3, padding=1, bias=False),
        bn2=BatchNorm2d(),
        relu=ReLU(),
    )


def exchange(fine: int, coarse: int) -> Sequential:
    """Two resolutions, each added to the other; Sun et al. (2019), figure 2, in timm's names."""
    return Sequential(
        branches=ModuleList(Sequential(basic(fine)), Sequential(basic(coarse))),
        fuse_layers=ModuleList(
            ModuleList(**{"1": Sequential(Conv2d(fine, 1, bias=False), BatchNorm2d(), Upsample(scale_factor=2))}),
            ModuleList(Sequential(Sequential(Conv2d(coarse, 3, stride=2, padding=1, bias=False), BatchNorm2d()))),
        ),
        b0=Run("branches.0", "input.x0"),
        b1=Run("branches.1", "input.x1"),
        up=Run("fuse_layers.0.1", "b1"),
        sum0=Add("b0", "up"),
        x0=ReLU(),
        down=Run("fuse_layers.1.0", "b0"),
        sum1=Add("down", "b1"),
        x1=ReLU(),
        out=Outputs("x0", "x1"),
    )


def high_resolution() -> Sequential:
    return Sequential(
        stem=conv(4, 3, stride=2, padding=1),
        x0=conv(4, 3, padding=1),
        x1=From("stem", conv(6, 3, stride=2, padding=1)),
        stage=From("x0", "x1", Sequential(exchange(4, 6), exchange(4, 6))),
        last0=From("stage.x0", Conv2d(3, 1)),
        last1=From("stage.x1", Conv2d(2, 1)),
        out=Outputs("last0", "last1"),
    )


def gated() -> Sequential:
    return Sequential(first=conv(6, 3), gate=squeeze_excitation(6), unit=shuffle_unit(3), last=conv(2, 3))


def looked_into() -> Sequential:
    """Values in blocks are read, those that a `Run` makes and what runs in a join included."""
    return Sequential(
        a=basic(3),
        b=From("a.relu1", Conv2d(3, 1)),
        tower=Sequential(conv=Conv2d(3, 1), inner=Concat(left=ReLU(), right=Sigmoid())),
        again=Run("tower", "a"),
        both=Stack("tower.conv", "again.conv", "again.inner.left"),
        flat=Flatten(),
        all=Cat("flat", "flat"),
        fc=Linear(4),
    )


def with_head() -> Sequential:
    """Steps, and an auxiliary head in training."""
    return Sequential(
        stem=conv(4, 3, padding=1),
        side=From("stem", Conv2d(4, 1)),
        aux1=Aux("side", pool=AdaptiveAvgPool2d(1), flat=Flatten(), fc=Linear(3)),
        product=Multiply("stem", "side"),
        scale=Scale(0.5),
        sum=Add("scale", "stem"),
        pool=AdaptiveAvgPool2d(1),
        flat=Flatten(),
        fc=Linear(3),
    )


def non_local(channels: int, side: int) -> Sequential:
    """Each position is a mean of all, weighted by how alike two are (Wang et al., 2018, figure 2)."""
    return Sequential(
        theta=Sequential(Conv2d(2, 1), Flatten(2), Permute((0, 2, 1))),
        phi=From("input", Sequential(Conv2d(2, 1), Flatten(2))),
        scores=MatMul("theta", "phi"),
        soft=Softmax(-1),
        g=From("input", Sequential(Conv2d(channels, 1), Flatten(2), Permute((0, 2, 1)))),
        means=MatMul("soft", "g"),
        maps=Sequential(Permute((0, 2, 1)), Unflatten(2, (side, side))),
        sum=Add("maps", "input"),
        last=Conv2d(2, 3),
    )


STEPPED: dict[str, tuple[Node, Shape | tuple[Shape, ...]]] = {
    "fire": (fire(2, 4, 4), (3, 12, 12)),
    "unet": (unet(), (3, 16, 16)),
    "retina": (retina(4, 3), (3, 16, 16)),
    "siamese": (siamese(), ((3, 12, 12), (3, 12, 12))),
    "high_resolution": (high_resolution(), (3, 16, 16)),
    "gated": (gated(), (3, 14, 14)),
    "looked_into": (looked_into(), (3, 8, 8)),
    "with_head": (with_head(), (3, 10, 10)),
    "non_local": (non_local(3, 8), (3, 8, 8)),
}
"""A description and its `input_size` by name."""
