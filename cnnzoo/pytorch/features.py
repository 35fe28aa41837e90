"""Maps from inside a network: which there are follows from its description, as timm's `features_only` has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from torch import Tensor, nn

from .. import arch
from ..arch import Aux, Node, Shape
from ..calculate import calculate
from ..report import Report, Row

Indices = int | Sequence[int] | None


class FeatureInfo:
    """What each map of a network is: its channels, its reduction (input pixels from one position to the
    next) and the module that makes it; the methods are timm's.

    The maps are the last ones at each effective stride, up to the pooling before the classifier. A block
    is not looked into, nor is a Sequential in which the stride changes only once, such as a stage or a
    transition: what counts is its output. `out_indices` are those that are returned, all by default, in
    the network's order. ValueError where the description is no Sequential, or an index is none.
    """

    def __init__(self, description: Node, input_size: Shape, out_indices: Sequence[int] | None = None) -> None:
        if not isinstance(description, arch.Sequential):
            raise ValueError(f"features are taken from a Sequential, got a {type(description).__name__}")
        last: dict[Any, Row] = {}
        self.steps: list[str] = []
        """The paths of the modules that run, one after the other, up to the last map that is returned."""
        for row in _steps(description, calculate(description, input_size)):
            if row.kind == "AdaptiveAvgPool2d" or len(row.output_shape) != 3:
                break
            self.steps.append(row.path)
            last[row.effective_stride] = row
        self.info = [
            {"num_chs": row.output_shape[0], "reduction": stride, "module": row.path, "index": index}
            for index, (stride, row) in enumerate(last.items())
        ]
        count = len(self.info)
        if isinstance(out_indices, int):
            last = ", ".join(map(str, range(-out_indices, 0))) if 0 < out_indices <= count else "-1"
            raise ValueError(
                f"out_indices={out_indices} is no list: say [{out_indices}] for that map, [{last}] for the last"
            )
        chosen = range(count) if out_indices is None else out_indices
        for index in chosen:
            if not -count <= index < count:
                raise ValueError(f"out_indices: there is no map {index}; the network has {count}, from 0")
        self.out_indices = sorted({index % count for index in chosen})
        if not self.out_indices:
            raise ValueError("out_indices: at least one map must be asked for")
        del self.steps[self.steps.index(self.module_name()[-1]) + 1 :]

    def channels(self, idx: Indices = None) -> Any:
        """The channels of the returned maps, or of those of `idx`."""
        return self._get("num_chs", idx)

    def reduction(self, idx: Indices = None) -> Any:
        """The effective strides of the returned maps, or of those of `idx`."""
        return self._get("reduction", idx)

    def module_name(self, idx: Indices = None) -> Any:
        """The paths of the modules that make the returned maps, or those of `idx`."""
        return self._get("module", idx)

    def get_dicts(self, keys: Sequence[str] | None = None, idx: Indices = None) -> list[dict[str, Any]]:
        """The returned maps, or those of `idx`, as dicts of "num_chs", "reduction", "module" and "index"."""
        chosen = self.out_indices if idx is None else [idx] if isinstance(idx, int) else idx
        return [{key: self.info[one][key] for key in keys or self.info[one]} for one in chosen]

    def _get(self, key: str, idx: Indices) -> Any:
        found = [one[key] for one in self.get_dicts([key], idx)]
        return found[0] if isinstance(idx, int) else found

    def __len__(self) -> int:
        return len(self.info)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.info[index]


def _steps(join: arch.Sequential, report: Report) -> Iterator[Row]:
    """What a network runs one after the other, blocks and stages as one."""
    rows = {row.path: row for row in (*report.rows, *report.blocks)}
    before: Any = 1

    def run(join: arch.Sequential, path: str) -> Iterator[Row]:
        nonlocal before
        for name, child in join.children:
            inner = f"{path}.{name}" if path else name
            strides = {row.effective_stride for row in report.rows if row.path.startswith(f"{inner}.")}
            if isinstance(child, Aux):
                continue
            if isinstance(child, arch.Sequential) and len(strides | {before}) > 2:
                yield from run(child, inner)
            elif inner in rows:
                before = rows[inner].effective_stride
                yield rows[inner]

    return run(join, "")


class Features(nn.Module):
    """A network's maps as a list; `feature_info` says what they are.

    Its children are the network's own under their own names, up to the last map, so its tensors are named
    as the network's.
    """

    def __init__(self, net: nn.Module, info: FeatureInfo) -> None:
        super().__init__()
        self.feature_info = info
        self.steps = tuple(info.steps)
        self.taps = frozenset(info.module_name())
        for path in self.steps:
            *parents, name = path.split(".")
            holder: nn.Module = self
            for parent in parents:
                if parent not in holder._modules:
                    holder.add_module(parent, nn.Sequential())
                holder = holder.get_submodule(parent)
            holder.add_module(name, net.get_submodule(path))

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for path in self.steps:
            x = self.get_submodule(path)(x)
            if path in self.taps:
                maps.append(x)
        return maps
