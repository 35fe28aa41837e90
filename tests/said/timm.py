"""Networks of timm 1.0, said as descriptions with the names of timm's state dicts; each in the words of its paper."""

from cnnzoo.arch import (
    AdaptiveAvgPool2d,
    Add,
    BatchNorm2d,
    Conv2d,
    Flatten,
    From,
    Linear,
    ModuleList,
    Outputs,
    ReLU,
    Residual,
    Run,
    Sequential,
    Upsample,
)


def conv(width: int, kernel: int, stride: int = 1, bias: bool = False) -> Sequential:
    return Sequential(
        Conv2d(width, kernel, stride=stride, padding=kernel // 2, bias=bias),
        BatchNorm2d(),
        ReLU(),
    )


def shortcut(width: int, stride: int = 1) -> Sequential:
    return Sequential(Conv2d(width, 1, stride=stride, bias=False), BatchNorm2d())


def basic(width: int) -> Residual:
    return Residual(
        conv1=Conv2d(width, 3, padding=1, bias=False),
        bn1=BatchNorm2d(),
        act1=ReLU(),
        conv2=Conv2d(width, 3, padding=1, bias=False),
        bn2=BatchNorm2d(),
        downsample=None,
        act2=ReLU(),
    )


def bottleneck(width: int) -> Residual:
    return Residual(
        conv1=Conv2d(width, 1, bias=False),
        bn1=BatchNorm2d(),
        act1=ReLU(),
        conv2=Conv2d(width, 3, padding=1, bias=False),
        bn2=BatchNorm2d(),
        act2=ReLU(),
        conv3=Conv2d(4 * width, 1, bias=False),
        bn3=BatchNorm2d(),
        downsample=shortcut(4 * width),
        act3=ReLU(),
    )


def fuse(widths: tuple[int, ...], source: int, target: int) -> Sequential:
    """From one resolution to another (figure 3): up by a 1x1 and its nearest pixels, down by 3x3s with stride 2."""
    width = widths[target]
    if source > target:
        return Sequential(Conv2d(width, 1, bias=False), BatchNorm2d(), Upsample(scale_factor=2 ** (source - target)))
    down = [conv(widths[source], 3, stride=2) for _ in range(target - source - 1)]
    return Sequential(*down, Sequential(Conv2d(width, 3, stride=2, padding=1, bias=False), BatchNorm2d()))


def exchange(*widths: int) -> Sequential:
    """HRNet's unit: two basic blocks at each resolution, then each is the sum of all brought to its size (figure 3)."""
    places = range(len(widths))
    units = {}
    for target in places:
        others = [source for source in places if source != target]
        for source in others:
            units[f"from{source}to{target}"] = Run(f"fuse_layers.{target}.{source}", f"b{source}")
        sources = (f"b{target}" if source == target else f"from{source}to{target}" for source in places)
        units[f"sum{target}"] = Add(*sources)
        units[f"x{target}"] = ReLU()
    return Sequential(
        branches=ModuleList(*(Sequential(basic(width), basic(width)) for width in widths)),
        fuse_layers=ModuleList(
            *(
                ModuleList(**{str(source): fuse(widths, source, target) for source in places if source != target})
                for target in places
            )
        ),
        **{f"b{place}": Run(f"branches.{place}", f"input.{place}") for place in places},
        **units,
        out=Outputs(*(f"x{place}" for place in places)),
    )


def hrnet_w18_small() -> Sequential:
    """Sun et al. (2019), with the head for classification (Wang et al. 2019): from the highest resolution
    down, each is brought to 1,024 channels at the most and added to what comes from above."""
    return Sequential(
        conv1=Conv2d(64, 3, stride=2, padding=1, bias=False),
        bn1=BatchNorm2d(),
        act1=ReLU(),
        conv2=Conv2d(64, 3, stride=2, padding=1, bias=False),
        bn2=BatchNorm2d(),
        act2=ReLU(),
        layer1=Sequential(bottleneck(32)),
        transition1=ModuleList(conv(16, 3), Sequential(conv(32, 3, stride=2))),
        t0=Run("transition1.0", "layer1"),
        t1=Run("transition1.1", "layer1"),
        stage2=From("t0", "t1", Sequential(exchange(16, 32))),
        transition2=ModuleList(**{"2": Sequential(conv(64, 3, stride=2))}),
        t2=Run("transition2.2", "stage2.x1"),
        stage3=From("stage2", "t2", Sequential(exchange(16, 32, 64))),
        transition3=ModuleList(**{"3": Sequential(conv(128, 3, stride=2))}),
        t3=Run("transition3.3", "stage3.x2"),
        stage4=From("stage3", "t3", Sequential(exchange(16, 32, 64, 128))),
        incre_modules=ModuleList(*(Sequential(bottleneck(width)) for width in (32, 64, 128, 256))),
        downsamp_modules=ModuleList(*(conv(width, 3, stride=2, bias=True) for width in (256, 512, 1024))),
        head0=Run("incre_modules.0", "stage4.x0"),
        head1=Run("incre_modules.1", "stage4.x1"),
        down1=Run("downsamp_modules.0", "head0"),
        sum1=Add("head1", "down1"),
        head2=Run("incre_modules.2", "stage4.x2"),
        down2=Run("downsamp_modules.1", "sum1"),
        sum2=Add("head2", "down2"),
        head3=Run("incre_modules.3", "stage4.x3"),
        down3=Run("downsamp_modules.2", "sum2"),
        sum3=Add("head3", "down3"),
        final_layer=conv(2048, 1, bias=True),
        pool=AdaptiveAvgPool2d(1),
        flatten=Flatten(),
        classifier=Linear(1000),
    )
