"""Networks by which courses begin: small ones for the 28x28 images of MNIST and Fashion-MNIST."""

from ..arch import Conv2d, Dropout, Flatten, Layer, Linear, MaxPool2d, ReLU, Sequential
from ..registry import Paper, Pinned, register

ZERO_TO_ALL = Paper(
    title="Deep Learning Zero To All: PyTorch, lab 10",
    authors="Kim et al.",
    year=2019,
    url="https://github.com/deeplearningzerotoall/PyTorch",
)
FROM_SCRATCH = Paper(
    title="Deep Learning from Scratch, chapter 7",
    authors="Saito",
    year=2016,
    url="https://github.com/oreilly-japan/deep-learning-from-scratch",
)
SELF_STUDY = Paper(
    title="Self-Study Machine Learning and Deep Learning, chapter 8.2",
    authors="Park",
    year=2020,
    url="https://github.com/rickiepark/hg-mldl",
)


def convolutions(*channels: int, last_padding: int = 0) -> dict[str, Layer]:
    """For each number of channels a 3x3 that keeps the size, and the largest of 2x2."""
    layers: dict[str, Layer] = {}
    for number, width in enumerate(channels, 1):
        padding = last_padding if number == len(channels) else 0
        pool = MaxPool2d(2, padding=padding)
        layers |= {f"conv{number}": Conv2d(width, 3, padding=1), f"relu{number}": ReLU(), f"pool{number}": pool}
    return layers


@register(
    paper=ZERO_TO_ALL,
    input_size=(1, 28, 28),
    pinned=Pinned(
        params=50_186,
        macs=3_869_824,
        receptive_field=10,
        stages={"conv1": (32, 28, 28), "pool1": (32, 14, 14), "pool2": (64, 7, 7), "fc": (10,)},
    ),
)
def mnist_cnn(num_classes: int = 10) -> Sequential:
    """Two convolutions for digits: 1 to 32 to 64 maps, and a linear layer; 50,186 parameters."""
    return Sequential(**convolutions(32, 64), flatten=Flatten(), fc=Linear(num_classes))


@register(
    paper=ZERO_TO_ALL,
    input_size=(1, 28, 28),
    pinned=Pinned(
        params=1_379_557,
        macs=8_737_386,
        receptive_field=22,
        stages={"pool1": (32, 14, 14), "pool2": (64, 7, 7), "pool3": (128, 4, 4), "fc1": (625,), "fc2": (10,)},
    ),
)
def mnist_deep_cnn(num_classes: int = 10, dropout: float = 0.5) -> Sequential:
    """`mnist_cnn` with a third convolution and a hidden layer of 625: 1,379,557 parameters.

    1,280,625 of them are the hidden layer's: it reads 128 maps of 4x4, since the third pooling pads 7x7 by 1.
    """
    return Sequential(
        **convolutions(32, 64, 128, last_padding=1),
        flatten=Flatten(),
        fc1=Linear(625),
        relu4=ReLU(),
        drop=Dropout(dropout),
        fc2=Linear(num_classes),
    )


@register(
    paper=SELF_STUDY,
    input_size=(1, 28, 28),
    pinned=Pinned(
        params=333_526,
        macs=4_153_064,
        receptive_field=10,
        stages={"pool1": (32, 14, 14), "pool2": (64, 7, 7), "fc1": (100,), "fc2": (10,)},
    ),
)
def fashion_cnn(num_classes: int = 10, dropout: float = 0.4) -> Sequential:
    """For clothes: the convolutions of `mnist_cnn` and a hidden layer of 100; 333,526 parameters."""
    return Sequential(
        **convolutions(32, 64),
        flatten=Flatten(),
        fc1=Linear(100),
        relu3=ReLU(),
        drop=Dropout(dropout),
        fc2=Linear(num_classes),
    )


@register(
    paper=FROM_SCRATCH,
    input_size=(1, 28, 28),
    pinned=Pinned(
        params=433_890,
        macs=865_000,
        receptive_field=6,
        stages={"conv1": (30, 24, 24), "pool1": (30, 12, 12), "affine1": (100,), "affine2": (10,)},
    ),
)
def simpleconvnet(num_classes: int = 10) -> Sequential:
    """The book's `SimpleConvNet`: one convolution of 30 maps, 5x5, and two linear layers; 433,890 parameters."""
    return Sequential(
        conv1=Conv2d(30, 5),
        relu1=ReLU(),
        pool1=MaxPool2d(2),
        flatten=Flatten(),
        affine1=Linear(100),
        relu2=ReLU(),
        affine2=Linear(num_classes),
    )
