"""Python sources that a user points at, or that an installed package brings: good ones, and bad ones of all kinds."""

FACTORY = """\
import torch
from torch import nn


def make(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
"""

HEAD = "import sys\nimport torch\nfrom torch import nn\nfrom cnnzoo.arch import *\n"


def factory(body: str) -> str:
    return f"{HEAD}\n\ndef make():\n    {body}\n"


def forward(body: str, init: str = "") -> str:
    return (
        f"{HEAD}\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        f"        self.conv = nn.Conv2d(3, 4, 3)\n        {init or 'pass'}\n\n"
        f"    def forward(self, x):\n        {body}\n\n\ndef make():\n    return Net()\n"
    )


NESTED = "net = nn.ReLU()\n    for _ in range({}):\n        net = nn.Sequential(net)\n    return net"
WITHOUT_INIT = (
    "class Net(nn.Module):\n    def __init__(self):\n        {}\n\n    def forward(self, x):\n        return x\n"
)

MODULES = (
    FACTORY.replace("width=4", "width=4, strict=1"),
    *map(
        factory,
        (
            "raise GeneratorExit",
            "raise StopIteration",
            "raise KeyError('x' * 100_000)",
            "raise RecursionError",
            "raise MemoryError",
            "raise BaseException('no')",
            "sys.exit(0)",
            "sys.exit('bye')",
            "sys.exit(7)",
            "return make()",
            "return None",
            "return 7",
            "return make",
            "return nn.Conv2d",
            "return [nn.ReLU()]",
            "print('x' * 500); return nn.Conv2d(3, 4, 3)",
            "torch.set_default_dtype(torch.float64); return nn.Conv2d(3, 4, 3)",
            "torch.set_grad_enabled(False); return nn.Conv2d(3, 4, 3)",
            "return Conv2d(4, 3, padding=10**30)",
            "return Sequential(*[Conv2d(4, 3, padding=1)] * 200_000)",
            "return Sequential(*[Conv2d(4, 3, padding=1)] * 3000)",
            "return Sequential(*[ConvTranspose2d(4, 2, stride=2)] * 100)",
            "return AdaptiveAvgPool2d(10**9)",
            "return Sequential(aux=Aux('nowhere', ReLU()))",
            "return Sequential(**{'x' * 100_000: Conv2d(7, 9)})",
            "return Sequential(**{'forward': Conv2d(4, 3), 'type': ReLU()})",
            "return nn.Conv2d(3, 10**9, 3)",
            "return nn.Conv2d(4, 4, 3)",
            "net = nn.Sequential(nn.ReLU()); net.add_module('me', net); return net",
            "a, b = nn.Sequential(nn.ReLU()), nn.Sequential(); a.b = b; b.a = a; return a",
            "return nn.Sequential(*[nn.Conv2d(3, 3, 1)] * 2000)",
            "net = nn.Conv2d(3, 4, 3); net.weight = None; return net",
            "net = nn.Conv2d(3, 4, 3); net.register_forward_hook(lambda *a: sys.exit(0)); return net",
            "net = nn.Conv2d(3, 4, 3); net.forward = None; return net",
            "net = nn.Conv2d(3, 4, 3); del net._modules; return net",
            "net = nn.Conv2d(3, 4, 3); net._parameters['a.b' * 10000] = nn.Parameter(torch.ones(1)); return net",
            *(NESTED.format(levels) for levels in (60, 300, 2000)),
        ),
    ),
    *(
        f"{HEAD}\n\n{WITHOUT_INIT.format(body)}\n\nmake = Net\n"
        for body in ("self.width = 3", "self.conv = nn.Conv2d(3, 4, 3)")
    ),
    *map(
        forward,
        (
            "return None",
            "return 'x'",
            "return self.conv(x), {'a': [x]}",
            "raise GeneratorExit",
            "sys.exit(0)",
            "sys.exit(3)",
            "raise ValueError('x' * 100_000)",
            "raise KeyboardInterrupt",
            "return self.forward(x)",
            "return self(x)",
            "yield self.conv(x)",
            "return self.conv(x).item()",
            "return self.conv(x)[..., : int(x.sum())]",
            "print('x' * 300); return self.conv(x)",
            "return torch.zeros(10**9, 10**9, 10**9)",
            "return x.expand(10**6, 10**6, *x.shape)",
            "for _ in range(3000): x = torch.relu(x)\n        return x",
            "self.conv = None; return x",
            "del self.conv; return x",
            "self.more = nn.Linear(3, 3); return self.conv(x)",
            "return x.numpy()",
            "import threading; threading.Thread(target=sys.exit).start(); return self.conv(x)",
        ),
    ),
    "",
    "make = 3\n",
    "make\n",
    "def make(:\n",
    "\tdef make(): pass\n",
    "def make(width): return None\n",
    "import a_module_that_nobody_has\n",
    "raise SystemExit(0)\n",
    "raise GeneratorExit\n",
    "raise KeyboardInterrupt\n",
    "# coding: klingon\n",
    "\x00\x01\x02",
    "é = '\udcff'\n",
    "make = [[" * 300,
    "make = " + "-" * 20_000 + "1\n",
    "from net import make\n",
    "class make:\n    def __getattr__(self, name): raise RuntimeError('x' * 50_000)\n",
    "class make:\n    def __init__(self): raise RuntimeError\n",
    "class Meta(type):\n    def __call__(cls): return cls\nclass make(metaclass=Meta): pass\n",
)  # fmt: skip

PLUGIN = """\
from cnnzoo import Paper, Pinned, register
from cnnzoo.arch import Conv2d, Flatten, Linear, ReLU, Sequential

PAPER = Paper("A Tiny Network", "Nobody", 2024, arxiv="2401.00000")


@register(paper=PAPER, pinned=Pinned(params=776, macs=2664, receptive_field=3), input_size=(3, 8, 8))
def tinynet(num_classes=10):
    return Sequential(conv=Conv2d(2, 3), relu=ReLU(), flatten=Flatten(), fc=Linear(num_classes, bias=False))
"""

REWRITE = """\
from cnnzoo.arch import Conv2d, Sequential, rewrite
from cnnzoo.rewrites import DoesNotApply, register_rewrite


@register_rewrite("Doe (2026), section 1")
def twice(description):
    raise DoesNotApply("nobody does it")
"""

BODIES = (
    "raise GeneratorExit",
    "raise RuntimeError('x' * 100_000)",
    "raise SystemExit(0)",
    "import sys; sys.exit(5)",
    "return None",
    "return 7",
    "return [Conv2d(3, 3)]",
    "return Sequential(Conv2d(3, 300))",
    "return Sequential(*[Conv2d(4, 3, padding=1)] * 200_000)",
    "return Conv2d(10**30, 3)",
    "print('x' * 300); return Sequential(Conv2d(3, 3))",
)


def with_body(good: str, line: str, body: str) -> str:
    """The source with another body of its function, which begins at a line."""
    return f"{good[: good.index(line)]}{line}\n    {body}\n"


TOP = (
    "raise RuntimeError('x' * 100_000)\n",
    "raise SystemExit(0)\n",
    "raise GeneratorExit\n",
    "raise BaseException\n",
    "import a_package_that_nobody_has\n",
    "print('x' * 300)\n",
    "def f(:\n",
    "",
)

PLUGINS = (
    *(with_body(PLUGIN, "def tinynet(num_classes=10):", body) for body in BODIES),
    *TOP,
    PLUGIN.replace("tinynet", "lenet5"),
    PLUGIN.replace("(3, 8, 8)", "None"),
    PLUGIN.replace("(3, 8, 8)", "('a', -1, 2.5)"),
    PLUGIN.replace("(3, 8, 8)", "(3, 8, 8), knobs={'num_classes': None}"),
    PLUGIN.replace("(3, 8, 8)", "(3, 8, 8), knobs={'num_classes': 7}"),
    PLUGIN.replace("(3, 8, 8)", "(3, 8, 8), knobs={'num_classes': [None, 'x', -1, 10**400]}"),
    PLUGIN.replace("paper=PAPER", "paper=None"),
    PLUGIN.replace("paper=PAPER", "paper='a book'"),
    PLUGIN.replace('"Nobody"', "None"),
    PLUGIN.replace("2024", "'soon'"),
    PLUGIN.replace("num_classes=10", "num_classes"),
    PLUGIN.replace("num_classes=10", "*num_classes"),
    PLUGIN.replace("num_classes=10", ""),
    PLUGIN.replace("def tinynet", "async def tinynet"),
)

REWRITES = (
    *(
        with_body(REWRITE, "def twice(description):", body)
        for body in (*BODIES, "return description", "raise DoesNotApply")
    ),
    *TOP,
    REWRITE.replace("def twice(", "def scale_width("),
    REWRITE.replace('"Doe (2026), section 1"', "None"),
    REWRITE.replace("(description)", "()"),
    REWRITE.replace("(description)", "(description, one, two)"),
    REWRITE.replace("(description)", "(*, description)"),
    REWRITE.replace("@register_rewrite", "# "),
)

LAYER = """\
from cnnzoo.arch import Layer, layer


@layer
class Twofold(Layer):
    factor: int = 2

    def output_shape(self, shape):
        return (self.factor * shape[0], *shape[1:])


"""

LAYER_NETWORK = LAYER + PLUGIN.replace("relu=ReLU()", "two=Twofold()")

PLUGIN_LAYERS = (
    LAYER_NETWORK,
    *(
        LAYER_NETWORK.replace("return (self.factor * shape[0], *shape[1:])", body)
        for body in (
            "return None",
            "return 7",
            "return ('a', 1, 2)",
            "return (1.5, 2, 3)",
            "return (-1, 2, 3)",
            "return (0, 0, 0)",
            "return [4, 6, 6]",
            "return (10**30, 6, 6)",
            "return ()",
            "raise RuntimeError('x' * 100_000)",
            "raise SystemExit(0)",
            "raise GeneratorExit",
            "return self.output_shape(shape)",
        )
    ),
    *(
        LAYER_NETWORK.replace(
            "    def output_shape", f"    def {name}(self, shape):\n        return {value}\n\n    def output_shape"
        )
        for name, value in (
            ("macs", "None"),
            ("macs", "1.5"),
            ("macs", "-1"),
            ("macs", "10**5000"),
            ("tensors", "None"),
            ("tensors", "{'weight': 3}"),
            ("tensors", "{1: (2, 3)}"),
            ("tensors", "{'weight': (-1, 2)}"),
            ("buffers", "{'b': None}"),
            ("work", "None"),
            ("work", "(1, 2)"),
            ("fan_in", "'x'"),
            ("windows", "7"),
            ("windows", "((1, 2), (3, 4))"),
            ("kept", "None"),
            ("kept", "(True, True, 'x')"),
        )
    ),
    LAYER_NETWORK.replace("factor: int = 2", "factor: list = []"),
    LAYER_NETWORK.replace("factor: int = 2", "factor: int"),
    LAYER_NETWORK.replace("@layer\n", ""),
    LAYER_NETWORK.replace("class Twofold(Layer)", "class Conv2d(Layer)"),
    LAYER_NETWORK.replace("class Twofold(Layer)", "class Twofold"),
)
