"""Networks learn: of each family a small one reads scikit-learn's digits after a few epochs on one core."""

import pytest
import torch
from small import small
from torch.nn import functional as F

import cnnzoo
from cnnzoo.pytorch.modules.build import build
from cnnzoo.pytorch.modules.init import find_scheme
from cnnzoo.rewrites import apply

TRAINED_ON = 1500
"""Of 1,797 digits; accuracy is that of the other 297."""

CASES = {
    "lenet5": (32, 2e-3, 8, "paper", 0.9),
    "alexnet": (64, 2e-3, 10, "torchvision", 0.85),
    "vgg11_bn": (32, 1e-3, 4, "torchvision", 0.93),
    "googlenet_tv": (64, 2e-3, 3, "torchvision", 0.9),
    "resnet18": (32, 3e-3, 4, "paper", 0.93),
    "googlenet_tv+drop_reductions": (64, 2e-3, 3, "torchvision", 0.9),
    "densenet121": (32, 3e-3, 4, "paper", 0.9),
}
"""A network, as it is or rewritten: the images' side, Adam's first step, the epochs, how the network begins, and the
accuracy that it must reach."""


@pytest.fixture(scope="module")
def digits():
    from sklearn.datasets import load_digits  # slow to import

    data = load_digits()
    order = torch.randperm(len(data.target), generator=torch.Generator().manual_seed(0))
    images = torch.tensor(data.images, dtype=torch.float32)[order, None] / 8 - 1
    return images, torch.tensor(data.target)[order]


@pytest.mark.wide(0, 4)
@pytest.mark.parametrize("name", CASES)
def test_learns_the_digits(name, digits):
    side, step, epochs, init, wanted = CASES[name]
    images, classes = digits
    images = F.interpolate(images, size=(side, side), mode="bilinear")
    name, *rewritten = name.split("+")
    builder = cnnzoo.get_builder(name)
    torch.manual_seed(0)
    scheme = find_scheme(init, builder.name, builder.__module__)
    description, _ = apply(small(name)[0], rewritten)
    net = build(description, (1, side, side), init=scheme)
    optimiser = torch.optim.Adam(net.parameters(), lr=step)
    schedule = torch.optim.lr_scheduler.PolynomialLR(optimiser, epochs * 30)
    for _ in range(epochs):
        for batch in torch.arange(TRAINED_ON).split(50):
            outputs = net(images[batch])
            heads = outputs if isinstance(outputs, tuple) else (outputs,)
            loss = sum(F.cross_entropy(scores(name, head), classes[batch]) for head in heads)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    with torch.no_grad():
        found = scores(name, net.eval()(images[TRAINED_ON:])).argmax(1)
    assert (found == classes[TRAINED_ON:]).float().mean() >= wanted


def scores(name, outputs):
    """LeNet-5's outputs are squared distances, here those of 84 points: the least one is the class."""
    return -0.05 * outputs if name == "lenet5" else outputs
