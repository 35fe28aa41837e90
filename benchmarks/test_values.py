"""A network executed in numpy against the built module, on one image and one thread."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

import cnnzoo
from cnnzoo import values


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v2"])
def test_run(name: str, ratio: Callable[..., float]) -> None:
    """OMP_NUM_THREADS=1 and OPENBLAS_NUM_THREADS=1 give both one thread."""
    torch.set_num_threads(1)
    net, description = cnnzoo.create_model(name).eval(), cnnzoo.describe(name)
    weights = {key: tensor.numpy() for key, tensor in net.state_dict().items()}
    image = torch.randn(1, 3, 224, 224)
    with torch.inference_mode():
        found = ratio(
            f"{name} in numpy / in torch",
            lambda: values.run(description, weights, image.numpy()),
            lambda: net(image),
            15,
        )
    assert found < 5
