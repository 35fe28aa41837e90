"""Networks written by hand as torch modules: those of `graphs`, and a ResNet with CBAM."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Double(nn.Module):
    def __init__(self, channels: int, width: int, padding: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=padding)
        self.conv2 = nn.Conv2d(width, width, 3, padding=padding)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv2(F.relu(self.conv1(x))))


class Encoder(nn.Module):
    def __init__(self, width: int, padding: int) -> None:
        super().__init__()
        channels = 3
        for level in range(5):
            self.add_module(f"block{level + 1}", Double(channels, width << level, padding))
            channels = width << level

    def forward(self, x: Tensor) -> list[Tensor]:
        found = [self.block1(x)]
        for block in (self.block2, self.block3, self.block4, self.block5):
            found.append(block(F.max_pool2d(found[-1], 2)))
        return found


class Up(nn.Module):
    def __init__(self, width: int, padding: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.conv = Double(2 * width, width, padding)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        x = self.up(x)
        top, left = ((skip.shape[side] - x.shape[side]) // 2 for side in (2, 3))
        skip = skip[:, :, top : top + x.shape[2], left : left + x.shape[3]]
        return self.conv(torch.cat([skip, x], 1))


class Decoder(nn.Module):
    def __init__(self, width: int, padding: int) -> None:
        super().__init__()
        for level in (4, 3, 2, 1):
            self.add_module(f"up{level}", Up(width << (level - 1), padding))

    def forward(self, maps: list[Tensor]) -> Tensor:
        x = maps[4]
        for up, skip in zip((self.up4, self.up3, self.up2, self.up1), maps[3::-1], strict=True):
            x = up(x, skip)
        return x


class UNet(nn.Module):
    def __init__(self, width: int, padding: int = 1) -> None:
        super().__init__()
        self.encoder = Encoder(width, padding)
        self.decoder = Decoder(width, padding)
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.decoder(self.encoder(x)))


class ResizingUNet(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.block1 = Double(3, width)
        self.block2 = Double(width, 2 * width)
        self.block3 = Double(2 * width, 4 * width)
        self.block4 = Double(6 * width, 2 * width)
        self.block5 = Double(3 * width, width)
        self.head = nn.Conv2d(width, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        fine = self.block1(x)
        middle = self.block2(F.max_pool2d(fine, 2))
        x = self.block3(F.max_pool2d(middle, 2))
        x = F.interpolate(x, middle.shape[2:], mode="bilinear")
        x = self.block4(torch.cat([middle, x], 1))
        x = F.interpolate(x, fine.shape[2:], mode="bilinear")
        return self.head(self.block5(torch.cat([fine, x], 1)))


class Tower(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 5, stride=2)
        self.conv2 = nn.Conv2d(8, 16, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(F.relu(self.conv2(F.relu(self.conv1(x)))), 2).flatten(1)


class Siamese(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.tower = Tower()
        self.fc = nn.Linear(64, 1)

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return torch.sigmoid(self.fc((self.tower(one) - self.tower(other)).square()))


class SiameseInOne(Siamese):
    def forward(self, both: Tensor) -> Tensor:
        return super().forward(both[:, :3], both[:, 3:])


class Pyramid(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        for level, channels in ((5, 16), (4, 12), (3, 8)):
            self.add_module(f"lateral{level}", nn.Conv2d(channels, width, 1))
            self.add_module(f"p{level}", nn.Conv2d(width, width, 3, padding=1))

    def forward(self, c3: Tensor, c4: Tensor, c5: Tensor) -> list[Tensor]:
        top5 = self.lateral5(c5)
        top4 = self.lateral4(c4) + F.interpolate(top5, scale_factor=2)
        top3 = self.lateral3(c3) + F.interpolate(top4, scale_factor=2)
        return [self.p3(top3), self.p4(top4), self.p5(top5)]


class Subnet(nn.Module):
    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(width, width, 3, padding=1)
        self.out = nn.Conv2d(width, outputs, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(F.relu(self.conv(x)))


class RetinaNet(nn.Module):
    def __init__(self, width: int = 16, anchors: int = 9, classes: int = 4) -> None:
        super().__init__()
        self.c3 = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU())
        self.c4 = nn.Sequential(nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.ReLU())
        self.c5 = nn.Sequential(nn.Conv2d(12, 16, 3, stride=2, padding=1), nn.ReLU())
        self.fpn = Pyramid(width)
        self.cls = Subnet(width, anchors * classes)
        self.box = Subnet(width, anchors * 4)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        c3 = self.c3(x)
        c4 = self.c4(c3)
        levels = self.fpn(c3, c4, self.c5(c4))
        return (*map(self.cls, levels), *map(self.box, levels))


class Unread(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.project = nn.Conv2d(8, 4, 1)
        self.out = nn.Conv2d(8, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.conv(x))


class CbamGates(nn.Module):
    """Woo et al. (2018), section 3, in the names of the authors' code."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ChannelGate = nn.Module()
        self.ChannelGate.mlp = nn.Sequential(
            nn.Flatten(), nn.Linear(channels, channels // 16), nn.ReLU(), nn.Linear(channels // 16, channels)
        )
        self.SpatialGate = nn.Module()
        self.SpatialGate.spatial = nn.Sequential()
        self.SpatialGate.spatial.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.SpatialGate.spatial.bn = nn.BatchNorm2d(1, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        mean, largest = (self.ChannelGate.mlp(pooled) for pooled in (x.mean((2, 3)), x.amax((2, 3))))
        x = x * torch.sigmoid(mean + largest)[:, :, None, None]
        maps = torch.cat([x.amax(1, keepdim=True), x.mean(1, keepdim=True)], 1)
        return x * torch.sigmoid(self.SpatialGate.spatial(maps))


class CbamBlock(nn.Module):
    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.cbam = CbamGates(4 * width)
        if channels != 4 * width or stride != 1:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, 4 * width, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * width)
            )
        else:
            self.downsample = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        y = F.relu(self.bn1(self.conv1(x)))
        y = F.relu(self.bn2(self.conv2(y)))
        y = self.cbam(self.bn3(self.conv3(y)))
        return F.relu(y + self.downsample(x))


class CbamResNet(nn.Module):
    """Of 16 maps, two blocks a stage, for ten classes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = 16
        for stage in range(4):
            width = 16 << stage
            blocks = CbamBlock(channels, width, 2 if stage else 1), CbamBlock(4 * width, width, 1)
            self.add_module(f"layer{stage + 1}", nn.Sequential(*blocks))
            channels = 4 * width
        self.fc = nn.Linear(channels, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.maxpool(F.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))
