"""Small networks for digits of 8x8, each with one idea or without it: `cnnzoo train nets.py:batch_norm …`."""

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Sequential,
)
from cnnzoo.models.googlenet import inception as module


def stage(number: int, width: int, norm: Layer | None) -> dict[str, Layer | None]:
    """Two 3x3 convolutions, each with its normalisation if there is one, and the largest of 2x2."""
    return {
        f"conv{number}a": Conv2d(width, 3, padding=1),
        f"norm{number}a": norm,
        f"relu{number}a": ReLU(),
        f"conv{number}b": Conv2d(width, 3, padding=1),
        f"norm{number}b": norm,
        f"relu{number}b": ReLU(),
        f"pool{number}": MaxPool2d(2),
    }


def network(norm: Layer | None = None, dropout: float | None = None) -> Sequential:
    """Three stages of 16, 32 and 64 maps, and two linear layers: 91,002 parameters without normalisation."""
    return Sequential(
        **stage(1, 16, norm),
        **stage(2, 32, norm),
        **stage(3, 64, norm),
        flatten=Flatten(),
        fc1=Linear(256),
        relu4=ReLU(),
        drop=None if dropout is None else Dropout(dropout),
        fc2=Linear(10),
    )


def plain() -> Sequential:
    """Neither normalised nor dropped out."""
    return network()


def batch_norm() -> Sequential:
    """A batch normalisation behind each convolution (Ioffe and Szegedy 2015)."""
    return network(norm=BatchNorm2d())


def lrn() -> Sequential:
    """A local response normalisation behind each convolution, with AlexNet's constants (Krizhevsky et al. 2012)."""
    return network(norm=LocalResponseNorm(5, alpha=1e-4, beta=0.75, k=2))


def dropout() -> Sequential:
    """Half of the hidden layer's outputs dropped in training (Srivastava et al. 2014)."""
    return network(dropout=0.5)


def inception() -> Sequential:
    """Three inception modules of GoogLeNet, a quarter as wide; with `+drop_reductions` without their 1x1."""
    return Sequential(
        conv1=Conv2d(32, 3, padding=1),
        relu1=ReLU(),
        pool1=MaxPool2d(2),
        inception1=module(16, (24, 32), (4, 8), 8),
        inception2=module(32, (32, 48), (8, 24), 16),
        pool2=MaxPool2d(2),
        inception3=module(48, (24, 52), (4, 12), 16),
        pool3=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        fc=Linear(10),
    )
