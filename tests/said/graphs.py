"""Networks that are no chains and no trees: U-Nets, a Siamese pair, a detector's shared heads."""

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    Cat,
    Chunk,
    Conv2d,
    ConvTranspose2d,
    Flatten,
    From,
    Linear,
    MaxPool2d,
    Outputs,
    ReLU,
    Run,
    Sequential,
    Sigmoid,
    Square,
    Subtract,
    Upsample,
    UpsampleLike,
    ZeroPad2d,
)


def double(width: int, padding: int = 1) -> Sequential:
    return Sequential(
        conv1=Conv2d(width, 3, padding=padding),
        relu1=ReLU(),
        conv2=Conv2d(width, 3, padding=padding),
        relu2=ReLU(),
    )


def encoder(width: int, padding: int = 1) -> Sequential:
    return Sequential(
        block1=double(width, padding),
        pool1=MaxPool2d(2),
        block2=double(2 * width, padding),
        pool2=MaxPool2d(2),
        block3=double(4 * width, padding),
        pool3=MaxPool2d(2),
        block4=double(8 * width, padding),
        pool4=MaxPool2d(2),
        block5=double(16 * width, padding),
    )


def up(width: int) -> Sequential:
    """What comes from below at twice its size, behind what the encoder had there."""
    return Sequential(
        up=From("input.0", ConvTranspose2d(width, 2, stride=2)),
        skip=Cat("input.1", "up"),
        conv=double(width),
    )


def decoder(up4: Sequential, up3: Sequential, up2: Sequential, up1: Sequential) -> From:
    return From(
        "encoder",
        "encoder.block4",
        "encoder.block3",
        "encoder.block2",
        "encoder.block1",
        Sequential(
            up4=From("input.0", "input.1", up4),
            up3=From("up4", "input.2", up3),
            up2=From("up3", "input.3", up2),
            up1=From("up2", "input.4", up1),
        ),
    )


def unet(width: int = 64) -> Sequential:
    """Ronneberger, Fischer and Brox (2015), with padded convolutions, so that maps keep their size."""
    return Sequential(
        encoder=encoder(width),
        decoder=decoder(up(8 * width), up(4 * width), up(2 * width), up(width)),
        head=Conv2d(2, 1),
    )


def cropping_up(width: int, crop: int) -> Sequential:
    """As `up`, where the encoder's map is larger by `crop` on each side."""
    return Sequential(
        up=From("input.0", ConvTranspose2d(width, 2, stride=2)),
        crop=From("input.1", ZeroPad2d(-crop)),
        skip=Cat("crop", "up"),
        conv=double(width, padding=0),
    )


def unet_2015(width: int = 64) -> Sequential:
    """Ronneberger, Fischer and Brox (2015), figure 1: convolutions without padding, 572x572 to 388x388."""
    return Sequential(
        encoder=encoder(width, padding=0),
        decoder=decoder(
            cropping_up(8 * width, 4), cropping_up(4 * width, 16), cropping_up(2 * width, 40), cropping_up(width, 88)
        ),
        head=Conv2d(2, 1),
    )


def resizing_unet(width: int = 64) -> Sequential:
    """A U-Net of two levels for images of any size: bilinear, to the size that the encoder had."""
    return Sequential(
        block1=double(width),
        pool1=MaxPool2d(2),
        block2=double(2 * width),
        pool2=MaxPool2d(2),
        block3=double(4 * width),
        up2=UpsampleLike("block3", "block2", mode="bilinear"),
        skip2=Cat("block2", "up2"),
        block4=double(2 * width),
        up1=UpsampleLike("block4", "block1", mode="bilinear"),
        skip1=Cat("block1", "up1"),
        block5=double(width),
        head=Conv2d(2, 1),
    )


def tower() -> Sequential:
    return Sequential(
        conv1=Conv2d(8, 5, stride=2),
        relu1=ReLU(),
        conv2=Conv2d(16, 3, stride=2),
        relu2=ReLU(),
        pool=AdaptiveAvgPool2d(2),
        flatten=Flatten(),
    )


def siamese() -> Sequential:
    """Two images through the same layers, then a verdict on how far apart they are: Bromley et al. (1993)."""
    return Sequential(
        tower=From("input.0", tower()),
        other=Run("tower", "input.1"),
        difference=Subtract("tower", "other"),
        square=Square(),
        fc=Linear(1),
        sigmoid=Sigmoid(),
    )


def siamese_in_one() -> Sequential:
    """The same where the two images enter as one, the second behind the channels of the first."""
    return Sequential(
        one=Chunk(2, 0),
        tower=tower(),
        two=From("input", Chunk(2, 1)),
        other=Run("tower", "two"),
        difference=Subtract("tower", "other"),
        square=Square(),
        fc=Linear(1),
        sigmoid=Sigmoid(),
    )


def pyramid(width: int) -> Sequential:
    """Maps of one width at each resolution, each with what lies above it at twice its size: Lin et al. (2017)."""
    return Sequential(
        lateral5=From("input.c5", Conv2d(width, 1)),
        p5=Conv2d(width, 3, padding=1),
        up5=From("lateral5", Upsample(scale_factor=2)),
        lateral4=From("input.c4", Conv2d(width, 1)),
        top4=Add("lateral4", "up5"),
        p4=Conv2d(width, 3, padding=1),
        up4=From("top4", Upsample(scale_factor=2)),
        lateral3=From("input.c3", Conv2d(width, 1)),
        top3=Add("lateral3", "up4"),
        p3=Conv2d(width, 3, padding=1),
        out=Outputs("p3", "p4", "p5"),
    )


def subnet(width: int, outputs: int) -> Sequential:
    return Sequential(
        conv=Conv2d(width, 3, padding=1),
        relu=ReLU(),
        out=Conv2d(outputs, 3, padding=1),
    )


def retinanet(width: int = 16, anchors: int = 9, classes: int = 4) -> Sequential:
    """Lin et al. (2017), figure 3: on each level of a pyramid the same two subnets, for classes and for boxes."""
    return Sequential(
        c3=Sequential(Conv2d(8, 3, stride=2, padding=1), ReLU()),
        c4=Sequential(Conv2d(12, 3, stride=2, padding=1), ReLU()),
        c5=Sequential(Conv2d(16, 3, stride=2, padding=1), ReLU()),
        fpn=From("c3", "c4", "c5", pyramid(width)),
        cls=From("fpn.p3", subnet(width, anchors * classes)),
        cls4=Run("cls", "fpn.p4"),
        cls5=Run("cls", "fpn.p5"),
        box=From("fpn.p3", subnet(width, anchors * 4)),
        box4=Run("box", "fpn.p4"),
        box5=Run("box", "fpn.p5"),
        out=Outputs("cls", "cls4", "cls5", "box", "box4", "box5"),
    )


def unread() -> Sequential:
    """Layers whose values nobody reads run nevertheless, as the pooling of a tree in a DLA does."""
    return Sequential(
        conv=Conv2d(8, 3, padding=1),
        downsample=MaxPool2d(2),
        project=Conv2d(4, 1),
        out=From("conv", Conv2d(4, 1)),
    )
