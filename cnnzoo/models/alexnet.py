"""AlexNet: Krizhevsky, Sutskever and Hinton (2012), Caffe's reference model, and torchvision's."""

from ..arch import AdaptiveAvgPool2d, Conv2d, Dropout, Flatten, Linear, LocalResponseNorm, MaxPool2d, ReLU, Sequential
from ..registry import Paper, Pinned, register

PAPER = Paper(
    title="ImageNet Classification with Deep Convolutional Neural Networks",
    authors="Alex Krizhevsky, Ilya Sutskever, Geoffrey E. Hinton",
    year=2012,
    venue="NeurIPS 2012",
    url="https://papers.nips.cc/paper/4824",
)
CAFFE = Paper(
    title="Caffe: Convolutional Architecture for Fast Feature Embedding",
    authors=(
        "Yangqing Jia, Evan Shelhamer, Jeff Donahue, Sergey Karayev, Jonathan Long, Ross Girshick, Sergio Guadarrama, "
        "Trevor Darrell"
    ),
    year=2014,
    venue="ACM Multimedia 2014",
    arxiv="1408.5093",
)
ONE_WEIRD_TRICK = Paper(
    title="One weird trick for parallelizing convolutional neural networks",
    authors="Alex Krizhevsky",
    year=2014,
    arxiv="1404.5997",
)

STAGES = {
    "conv1": (96, 55, 55),
    "pool1": (96, 27, 27),
    "conv2": (256, 27, 27),
    "pool2": (256, 13, 13),
    "conv3": (384, 13, 13),
    "conv4": (384, 13, 13),
    "conv5": (256, 13, 13),
    "pool5": (256, 6, 6),
    "fc6": (4096,),
    "fc7": (4096,),
    "fc8": (1000,),
}


@register(
    paper=PAPER,
    pinned=Pinned(params=60_965_224, macs=724_406_816, receptive_field=195, stages=STAGES),
)
def alexnet(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """The network of figure 2: LRN, overlapping pooling, and conv2, conv4, conv5 in two groups.

    60,965,224 parameters and 0.724 G MACs; without the groups 62,378,344 and 1.135 G. (224 - 11) / 4 + 1
    is no whole number, so the 55x55 of the paper takes two pixels of padding here, or an input of 227
    and none, as in `caffenet`. Pooling rounds up, as in the authors' cuda-convnet: at 224 nothing is left
    over, at 240 pool5 gives 7x7 instead of 6x6. LRN is k=2, n=5, alpha=1e-4, beta=0.75 of section 3.3, where alpha is
    not divided by n: alpha=5e-4 in torch's sense. torchvision's AlexNet is `alexnet_tv`.
    """
    return Sequential(
        conv1=Conv2d(96, 11, stride=4, padding=2),
        relu1=ReLU(),
        norm1=LocalResponseNorm(5, alpha=5e-4, k=2.0),
        pool1=MaxPool2d(3, stride=2, ceil_mode=True),
        conv2=Conv2d(256, 5, padding=2, groups=2),
        relu2=ReLU(),
        norm2=LocalResponseNorm(5, alpha=5e-4, k=2.0),
        pool2=MaxPool2d(3, stride=2, ceil_mode=True),
        conv3=Conv2d(384, 3, padding=1),
        relu3=ReLU(),
        conv4=Conv2d(384, 3, padding=1, groups=2),
        relu4=ReLU(),
        conv5=Conv2d(256, 3, padding=1, groups=2),
        relu5=ReLU(),
        pool5=MaxPool2d(3, stride=2, ceil_mode=True),
        **classifier(num_classes, dropout),
    )


@register(
    paper=CAFFE,
    input_size=(3, 227, 227),
    pinned=Pinned(params=60_965_224, macs=724_406_816, receptive_field=195, stages=STAGES),
)
def caffenet(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """BVLC's reference CaffeNet: AlexNet with each LRN behind its pooling, on inputs of 227.

    The same 60,965,224 parameters and 0.724 G MACs as `alexnet`; LRN normalises 113,248 values for its
    477,024, with alpha=1e-4 divided by n, and k=1. Pooling rounds up, as Caffe's does: on inputs of 224,
    too, pool5 gives 6x6, and the parameters are as many.
    """
    return Sequential(
        conv1=Conv2d(96, 11, stride=4),
        relu1=ReLU(),
        pool1=MaxPool2d(3, stride=2, ceil_mode=True),
        norm1=LocalResponseNorm(5),
        conv2=Conv2d(256, 5, padding=2, groups=2),
        relu2=ReLU(),
        pool2=MaxPool2d(3, stride=2, ceil_mode=True),
        norm2=LocalResponseNorm(5),
        conv3=Conv2d(384, 3, padding=1),
        relu3=ReLU(),
        conv4=Conv2d(384, 3, padding=1, groups=2),
        relu4=ReLU(),
        conv5=Conv2d(256, 3, padding=1, groups=2),
        relu5=ReLU(),
        pool5=MaxPool2d(3, stride=2, ceil_mode=True),
        **classifier(num_classes, dropout),
    )


def classifier(num_classes: int, dropout: float) -> dict[str, Flatten | Linear | ReLU | Dropout]:
    """fc6 to fc8 of the paper; dropout follows the first two (section 4.2)."""
    return {
        "flatten": Flatten(),
        "fc6": Linear(4096),
        "relu6": ReLU(),
        "drop6": Dropout(dropout),
        "fc7": Linear(4096),
        "relu7": ReLU(),
        "drop7": Dropout(dropout),
        "fc8": Linear(num_classes),
    }


@register(
    paper=ONE_WEIRD_TRICK,
    pinned=Pinned(
        params=61_100_840,
        macs=714_188_480,
        receptive_field=195,
        stages={
            "features.0": (64, 55, 55),
            "features.3": (192, 27, 27),
            "features.6": (384, 13, 13),
            "features.8": (256, 13, 13),
            "features.10": (256, 13, 13),
            "features.12": (256, 6, 6),
        },
    ),
)
def alexnet_tv(num_classes: int = 1000, dropout: float = 0.5) -> Sequential:
    """torchvision's `alexnet`: the one-tower network of "One weird trick" (2014) without its LRN, not that of 2012.

    No groups, 64-192-384-256-256 maps for 96-256-384-384-256: 61,100,840 parameters (135,616 more than
    `alexnet`) and 0.714 G MACs. The configuration published with that paper for one GPU
    (cuda-convnet2's layers-imagenet-1gpu.cfg) has LRN behind conv1 and conv2, which torchvision leaves out. An
    average pooling to 6x6 lets other input sizes through.
    """
    return Sequential(
        features=Sequential(
            Conv2d(64, 11, stride=4, padding=2),
            ReLU(),
            MaxPool2d(3, stride=2),
            Conv2d(192, 5, padding=2),
            ReLU(),
            MaxPool2d(3, stride=2),
            Conv2d(384, 3, padding=1),
            ReLU(),
            Conv2d(256, 3, padding=1),
            ReLU(),
            Conv2d(256, 3, padding=1),
            ReLU(),
            MaxPool2d(3, stride=2),
        ),
        avgpool=AdaptiveAvgPool2d(6),
        flatten=Flatten(),
        classifier=Sequential(
            Dropout(dropout),
            Linear(4096),
            ReLU(),
            Dropout(dropout),
            Linear(4096),
            ReLU(),
            Linear(num_classes),
        ),
    )
