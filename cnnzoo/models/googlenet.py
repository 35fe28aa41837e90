"""GoogLeNet: Szegedy et al. (2014), table 1, and torchvision's network of that name."""

from collections.abc import Callable

from ..arch import (
    AdaptiveAvgPool2d,
    Aux,
    AvgPool2d,
    BatchNorm2d,
    Concat,
    Conv2d,
    Dropout,
    Flatten,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    ScaleShift,
    Sequential,
)
from ..registry import Paper, Pinned, register

PAPER = Paper(
    title="Going Deeper with Convolutions",
    authors=(
        "Christian Szegedy, Wei Liu, Yangqing Jia, Pierre Sermanet, Scott Reed, Dragomir Anguelov, Dumitru Erhan, "
        "Vincent Vanhoucke, Andrew Rabinovich"
    ),
    year=2014,
    venue="CVPR 2015",
    arxiv="1409.4842",
)

STAGES = {
    "conv1": (64, 112, 112),
    "maxpool1": (64, 56, 56),
    "conv3": (192, 56, 56),
    "maxpool2": (192, 28, 28),
    "inception3a": (256, 28, 28),
    "inception3b": (480, 28, 28),
    "maxpool3": (480, 14, 14),
    "inception4a": (512, 14, 14),
    "inception4b": (512, 14, 14),
    "inception4c": (512, 14, 14),
    "inception4d": (528, 14, 14),
    "inception4e": (832, 14, 14),
    "maxpool4": (832, 7, 7),
    "inception5a": (832, 7, 7),
    "inception5b": (1024, 7, 7),
    "avgpool": (1024, 1, 1),
    "fc": (1000,),
}

INCEPTION = {
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}
"""Table 1: #1x1, (#3x3 reduce, #3x3), (#5x5 reduce, #5x5), pool proj."""


def conv(channels: int, kernel: int, *, stride: int = 1, padding: int = 0) -> Sequential:
    """A convolution with biases and its ReLU."""
    return Sequential(conv=Conv2d(channels, kernel, stride=stride, padding=padding), relu=ReLU())


def inception(c1: int, c3: tuple[int, int], c5: tuple[int, int], proj: int) -> Concat:
    """A row of table 1: #1x1, (#3x3 reduce, #3x3), (#5x5 reduce, #5x5), pool proj (figure 2b)."""
    return Concat(
        branch1=conv(c1, 1),
        branch2=Sequential(conv(c3[0], 1), conv(c3[1], 3, padding=1)),
        branch3=Sequential(conv(c5[0], 1), conv(c5[1], 5, padding=2)),
        branch4=Sequential(MaxPool2d(3, stride=1, padding=1), conv(proj, 1)),
    )


def modules(stage: str, module: Callable[..., Concat]) -> dict[str, Concat]:
    """The rows of table 1 at a resolution ("3" is 28x28, "4" is 14x14, "5" is 7x7), each as such a module."""
    return {f"inception{name}": module(*row) for name, row in INCEPTION.items() if name.startswith(stage)}


def head(source: str, num_classes: int) -> Aux:
    """Section 5: average pooling 5x5/3, 128 1x1 convolutions, 1024 units, 70 % dropout, a classifier."""
    return Aux(
        source,
        pool=AvgPool2d(5, stride=3, ceil_mode=True),
        conv=conv(128, 1),
        flatten=Flatten(),
        fc1=Linear(1024),
        relu=ReLU(),
        dropout=Dropout(0.7),
        fc2=Linear(num_classes),
    )


@register(
    paper=PAPER,
    pinned=Pinned(params=6_998_552, macs=1_582_671_872, receptive_field=715, stages=STAGES, aux_params=6_379_728),
)
def googlenet(num_classes: int = 1000, dropout: float = 0.4, aux_logits: bool = True) -> Sequential:
    """The network of table 1: 5x5 branches, LRN, biases, no batch normalisation; 6,998,552 parameters.

    1.583 G MACs. The two auxiliary heads, on inception4a and inception4d, have 6,379,728 parameters more
    and exist in training only (`aux_logits=False` leaves them out; below 47 pixels the 5x5 pooling of the
    first no longer fits). Pooling rounds up, without which 112 does not become 56; LRN's constants are
    not in the paper: torch's defaults, as in Caffe's GoogLeNet. Average pooling adapts, where the paper's
    is 7x7 on 7x7. torchvision's network is `googlenet_tv`.
    """
    return Sequential(
        conv1=conv(64, 7, stride=2, padding=3),
        maxpool1=MaxPool2d(3, stride=2, ceil_mode=True),
        norm1=LocalResponseNorm(5),
        conv2=conv(64, 1),
        conv3=conv(192, 3, padding=1),
        norm2=LocalResponseNorm(5),
        maxpool2=MaxPool2d(3, stride=2, ceil_mode=True),
        **modules("3", inception),
        maxpool3=MaxPool2d(3, stride=2, ceil_mode=True),
        **modules("4", inception),
        maxpool4=MaxPool2d(3, stride=2, ceil_mode=True),
        **modules("5", inception),
        aux1=head("inception4a", num_classes) if aux_logits else None,
        aux2=head("inception4d", num_classes) if aux_logits else None,
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        dropout=Dropout(dropout),
        fc=Linear(num_classes),
    )


def conv_bn(
    channels: int,
    kernel: int | tuple[int, int],
    *,
    stride: int = 1,
    padding: int | tuple[int, int] = 0,
    eps: float = 0.001,
) -> Sequential:
    """torchvision's BasicConv2d: no bias, batch normalisation with eps=0.001."""
    return Sequential(
        conv=Conv2d(channels, kernel, stride=stride, padding=padding, bias=False),
        bn=BatchNorm2d(eps=eps),
        relu=ReLU(),
    )


def inception_tv(c1: int, c3: tuple[int, int], c5: tuple[int, int], proj: int) -> Concat:
    """The row of table 1 with a 3x3 where it says 5x5, torchvision's inheritance from a ported checkpoint."""
    return Concat(
        branch1=conv_bn(c1, 1),
        branch2=Sequential(conv_bn(c3[0], 1), conv_bn(c3[1], 3, padding=1)),
        branch3=Sequential(conv_bn(c5[0], 1), conv_bn(c5[1], 3, padding=1)),
        branch4=Sequential(MaxPool2d(3, stride=1, padding=1, ceil_mode=True), conv_bn(proj, 1)),
    )


def head_tv(source: str, num_classes: int, dropout: float) -> Aux:
    """The auxiliary head with a pooling to 4x4, whatever the input's size."""
    return Aux(
        source,
        pool=AdaptiveAvgPool2d(4),
        conv=conv_bn(128, 1),
        flatten=Flatten(),
        fc1=Linear(1024),
        relu=ReLU(),
        dropout=Dropout(dropout),
        fc2=Linear(num_classes),
    )


TRANSFORM_INPUT = ScaleShift(
    scale=(0.229 / 0.5, 0.224 / 0.5, 0.225 / 0.5),
    shift=((0.485 - 0.5) / 0.5, (0.456 - 0.5) / 0.5, (0.406 - 0.5) / 0.5),
)
"""From what is normalised by ImageNet's mean and deviation to [-1, 1], as torchvision's weights expect it."""


@register(
    paper=PAPER,
    outputs={"aux2": "aux_logits2", "aux1": "aux_logits1"},
    pinned=Pinned(params=6_624_904, macs=1_498_376_192, receptive_field=379, stages=STAGES, aux_params=6_379_984),
)
def googlenet_tv(
    num_classes: int = 1000,
    dropout: float = 0.2,
    dropout_aux: float = 0.7,
    aux_logits: bool = True,
    transform_input: bool = False,
) -> Sequential:
    """torchvision's `googlenet`: batch normalisation, and 3x3 in the 5x5 branch; 6,624,904 parameters.

    373,648 fewer than `googlenet`, 1.498 G MACs for its 1.583 G, and a position of inception5b sees 379
    pixels for its 715; maxpool4 is 2x2. With both heads 13,004,888 parameters. The published weights come from
    TensorFlow and expect an input in [-1, 1]: `transform_input`, which goes with them, converts one that is normalised
    by ImageNet's mean and deviation.
    """
    return Sequential(
        transform_input=TRANSFORM_INPUT if transform_input else None,
        conv1=conv_bn(64, 7, stride=2, padding=3),
        maxpool1=MaxPool2d(3, stride=2, ceil_mode=True),
        conv2=conv_bn(64, 1),
        conv3=conv_bn(192, 3, padding=1),
        maxpool2=MaxPool2d(3, stride=2, ceil_mode=True),
        **modules("3", inception_tv),
        maxpool3=MaxPool2d(3, stride=2, ceil_mode=True),
        **modules("4", inception_tv),
        maxpool4=MaxPool2d(2, ceil_mode=True),
        **modules("5", inception_tv),
        aux1=head_tv("inception4a", num_classes, dropout_aux) if aux_logits else None,
        aux2=head_tv("inception4d", num_classes, dropout_aux) if aux_logits else None,
        avgpool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        dropout=Dropout(dropout),
        fc=Linear(num_classes),
    )
