"""DLA: Yu, Wang, Shelhamer and Darrell (2018), Deep Layer Aggregation, table 1; timm's names."""

from ..arch import (
    AdaptiveAvgPool2d,
    Add,
    BatchNorm2d,
    Cat,
    Conv2d,
    Dense,
    Flatten,
    From,
    Inline,
    MaxPool2d,
    Node,
    ReLU,
    Sequential,
    Shortcut,
)
from ..registry import Paper, Pinned, register
from .blocks import conv
from .resnet import basic, conv3x3

PAPER = Paper(
    title="Deep Layer Aggregation",
    authors="Fisher Yu, Dequan Wang, Evan Shelhamer, Trevor Darrell",
    year=2018,
    venue="CVPR 2018",
    arxiv="1707.06484",
)


def halving_block(width: int) -> Sequential:
    """A basic block of stride 2 that is given its shortcut as a second value."""
    return Sequential(
        conv1=From("input.0", conv3x3(width, 1, stride=2)),
        bn1=BatchNorm2d(),
        relu1=ReLU(),
        conv2=conv3x3(width, 1),
        bn2=BatchNorm2d(),
        sum=Add("bn2", "input.1"),
        relu=ReLU(),
    )


def root(width: int) -> Sequential:
    """An aggregation node (section 3): all that it reads, one after the other, by a 1x1 to `width` maps."""
    return Sequential(conv=Conv2d(width, 1, bias=False), bn=BatchNorm2d(), relu=ReLU())


def halving(width: int) -> dict[str, Node | From]:
    """A block at half the size, whose shortcut is pooled and projected."""
    return {
        "downsample": MaxPool2d(2, stride=2),
        "project": Sequential(Conv2d(width, 1, bias=False), BatchNorm2d()),
        "tree1": From("input", "project", halving_block(width)),
    }


def halving_tree(width: int) -> Sequential:
    """Two blocks at half the size, and a root that reads both, the later first."""
    return Sequential(
        **halving(width),
        leaves=Inline(Dense, tree2=Shortcut(basic(width, 1, False))),
        root=root(width),
    )


def last_tree(width: int) -> Sequential:
    """Two blocks at half the size, and a root that reads the level before, too."""
    return Sequential(
        **halving(width),
        tree2=basic(width, 1, False),
        leaves=Cat("tree2", "tree1", "downsample"),
        root=root(width),
    )


def second_tree(width: int) -> Sequential:
    """Two blocks, and a root that reads the tree before and the level before, too."""
    return Sequential(
        tree1=From("input.0", basic(width, 1, False)),
        tree2=basic(width, 1, False),
        leaves=Cat("tree2", "tree1", "input.1", "input.0"),
        root=root(width),
    )


def deep_tree(width: int) -> Sequential:
    """A tree of two trees (figure 2 f): the root of the second one aggregates the whole level."""
    return Sequential(
        downsample=MaxPool2d(2, stride=2),
        tree1=From("input", halving_tree(width)),
        tree2=From("tree1", "downsample", second_tree(width)),
    )


@register(
    paper=PAPER,
    pinned=Pinned(
        params=15_742_104,
        macs=3_060_043_776,
        receptive_field=623,
        stages={
            "level0": (16, 224, 224),
            "level1": (32, 112, 112),
            "level2": (64, 56, 56),
            "level3": (128, 28, 28),
            "level4": (256, 14, 14),
            "level5": (512, 7, 7),
        },
    ),
)
def dla34(num_classes: int = 1000) -> Sequential:
    """DLA-34: ResNet's basic blocks in trees, whose roots aggregate the blocks and trees before. 15,742,104 parameters.

    The authors' code has two more projections, in levels 3 and 4, whose results nothing reads.
    """
    return Sequential(
        base_layer=conv(16, 7, ReLU()),
        level0=conv(16, 3, ReLU()),
        level1=conv(32, 3, ReLU(), stride=2),
        level2=halving_tree(64),
        level3=deep_tree(128),
        level4=deep_tree(256),
        level5=last_tree(512),
        global_pool=AdaptiveAvgPool2d(1),
        fc=Conv2d(num_classes, 1),
        flatten=Flatten(),
    )
