"""timm and torchvision where torchvision's compiled operators do not load, as beside a CPU build of torch."""

from __future__ import annotations

from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import torch

POOLINGS = ("roi_align", "roi_pool", "ps_roi_align", "ps_roi_pool", "deform_conv2d")
OPERATORS = ("nms", "qnms", "qroi_align", *POOLINGS, *(f"_{name}_backward" for name in POOLINGS))
"""What torchvision's Python registers kernels for; no classification network runs any of them."""

_library: list[torch.library.Library] = []  # alive as long as its operators are to be


def stub_torchvision() -> None:
    """Make `import torchvision` work: declare its operators, unless its own library does."""
    found = find_spec("torchvision")
    if _library or found is None or found.origin is None:
        return
    with suppress(OSError, RuntimeError):
        torch.ops.load_library(str(Path(found.origin).with_name("_C.so")))
        return
    _library.append(torch.library.Library("torchvision", "DEF"))
    for name in OPERATORS:
        _library[0].define(f"{name}(Tensor x) -> Tensor")
