"""The tensors of a run: which value of the network each one is, and which are the network's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from ...arch import Shape
from ...report.rows import key_of
from ..measuring.counter import MARK
from ..measuring.tree import own_tensors, submodules
from .events import TracingError
from .words import Recipe

BATCH = 19
"""Samples of a run: a length that no other dimension is likely to have, so that the batch is told from all others."""

OTHER_BATCH = 23
"""Samples of the run at another size."""


class Values:
    """Tells tensors apart by identity; values are numbered in the order in which they are made."""

    def __init__(self, root: nn.Module, batch: int) -> None:
        self.batch = batch
        """Samples of the run."""
        self.blind = False
        """Whether tensors may have been made where nothing is seen."""
        self.shapes: list[Shape] = []
        """Of each value, without the batch."""
        self.whole: list[bool] = []
        """Whether the batch is the first dimension of each value."""
        self.looked: list[tuple[int, Shape]] = []
        """The values whose shapes the network read, the last one last."""
        self._values: dict[int, tuple[int, int]] = {}
        """By the id of a tensor: its value, and the tensor's version when it was made."""
        self._alive: list[Tensor] = []
        """Every tensor that was met, so that no id is given again; they hold no memory on meta."""
        self._stacks: dict[int, list[Tensor]] = {}
        """The values that were stacked in a tensor, along a new first dimension."""
        self._zeros: dict[int, int] = {}
        """What was made of zeros, with its version then."""
        self._keys: dict[int, frozenset[str]] = {}
        """Of tensors that are no values: the names of the network's own that they were worked out from."""
        self._own: dict[int, list[str]] = {}
        """The names of the network's own tensors."""
        self._versions: dict[int, int] = {}
        """Their versions when the run began."""
        self._spoilt: set[int] = set()
        """The memory of constants that were written over."""
        self._of_own: dict[int, Tensor] = {}
        """Views of them, and of what is worked out from them."""
        self._recipes: dict[int, tuple[Recipe, int]] = {}
        """How tensors were worked out from the network's own, and their versions then."""
        self._written: dict[int, int] = {}
        """What was last written to a storage."""
        self._data: set[int] = set()
        """The storages of what `.data` gave: writing there changes no other tensor's version."""
        self._held: dict[int, dict[str, int]] = {}
        """The ids of the tensors of each module, by the id of the module, when the run began."""
        for one in submodules(root):
            tensors = own_tensors(one.module)
            self._held[id(one.module)] = {name: id(held.tensor) for name, held in tensors.items()}
            for name, held in tensors.items():
                self._own.setdefault(id(held.tensor), []).append(key_of(one.path, name))
                self._versions[id(held.tensor)] = held.tensor._version

    def make(self, tensor: Tensor) -> int:
        """A new value, which the tensor is from now on."""
        value = self.add(tuple(tensor.shape[1:]), tensor.dim() > 0 and tensor.shape[0] == self.batch)
        self.bind(tensor, value)
        return value

    def add(self, shape: Shape, whole: bool) -> int:
        """A new value of this shape."""
        self.shapes.append(shape)
        self.whole.append(whole)
        return len(self.shapes) - 1

    def bind(self, tensor: Tensor, value: int) -> None:
        if tensor.is_inference():
            raise TracingError(
                "it runs in inference mode, where tensors have no versions; torch.no_grad() has the rest"
            )
        self._values[id(tensor)] = value, tensor._version
        self._alive.append(tensor)

    def write(self, tensor: Tensor) -> int:
        """A new value, which is now in a tensor's memory, whatever was there."""
        value = self.make(tensor)
        self.note_written(tensor)
        return value

    def note_written(self, tensor: Tensor) -> None:
        value = self.of(tensor)
        if value is not None:
            self._written[_memory(tensor)] = value

    def written(self, tensor: Tensor) -> int | None:
        """What was last written to the memory of a tensor."""
        return self._written.get(_memory(tensor))

    def of(self, tensor: Tensor) -> int | None:
        """The value that a tensor is or, where something was written to it since, was; None of what is none."""
        return self._values.get(id(tensor), (None, 0))[0]

    def is_stale(self, tensor: Tensor) -> bool:
        """Whether something was written to a value since it was made, through another tensor that shares its memory."""
        found = self._values.get(id(tensor))
        if found is None:
            return False
        value, version = found
        unsaid = bool(self._data) and _memory(tensor) in self._data and self._written.get(_memory(tensor), -1) > value
        return version != tensor._version or unsaid

    def note_data(self, tensor: Tensor) -> None:
        """Note that a tensor was given by `.data`."""
        self._data.add(_memory(tensor))

    def is_strange(self, tensor: Tensor) -> bool:
        """Whether a tensor comes from an input by ways that were not seen."""
        places: tuple[Mapping[int, Any], ...] = (self._values, self._stacks, self._keys, self._own)
        return not any(id(tensor) in known for known in places) and (self.blind or hasattr(tensor, MARK))

    def tensor_of(self, value: int) -> Tensor:
        """The last tensor that is a value."""
        return next(one for one in reversed(self._alive) if self.of(one) == value)

    def look(self, tensor: Tensor) -> None:
        """Note that the network reads a tensor's shape."""
        value = self.of(tensor)
        if value is not None:
            self.looked.append((value, tuple(tensor.shape[2:])))

    def stack(self, tensor: Tensor, parts: Sequence[Tensor]) -> None:
        """Note a tensor that has values along a new first dimension: it is no value of samples itself."""
        self._stacks[id(tensor)] = [*parts]
        self._alive.append(tensor)

    def parts(self, tensor: Any) -> list[Tensor]:
        """The values that were stacked in a tensor; none of other tensors, and of what is none."""
        return self._stacks.get(id(tensor), []) if id(tensor) not in self._values else []

    def note_zeros(self, tensor: Tensor) -> None:
        self._zeros[id(tensor)] = tensor._version
        self._alive.append(tensor)

    def is_zeros(self, tensor: Tensor) -> bool:
        """Whether it was made of zeros, and nothing was written to it since."""
        return self._zeros.get(id(tensor)) == tensor._version

    def last_looked(self, most: int) -> list[int]:
        """The values whose shapes were read last, each as often as it was, until they are more than so many."""
        found: list[int] = []
        for value, _ in reversed(self.looked):
            if value not in found and len({*found}) == most:
                break
            found.insert(0, value)
        return found

    # The network's own

    def keys(self, tensor: Tensor) -> list[str] | None:
        """The names in the network of a tensor of its own; None of any other, and of one that was written over."""
        if self._versions.get(id(tensor)) != tensor._version or (self._spoilt and _memory(tensor) in self._spoilt):
            return None
        return self._own.get(id(tensor))

    def spoil(self, tensor: Tensor) -> None:
        """Note that a tensor that is no value was written over."""
        self._spoilt.add(_memory(tensor))

    def has_its_own(self, module: nn.Module) -> bool:
        """Whether the tensors of a module are those that it had when the run began."""
        own = {name: held.tensor for name, held in own_tensors(module).items()}
        same = {name: id(tensor) for name, tensor in own.items()} == self._held.get(id(module))
        return same and all(self.keys(tensor) is not None for tensor in own.values())

    def own(self, tensor: Tensor) -> Tensor:
        """The tensor of the network's own that a tensor is a view of, or else itself."""
        return self._of_own.get(id(tensor), tensor)

    def note_view(self, view: Tensor, tensor: Tensor) -> None:
        self._of_own[id(view)] = self.own(tensor)

    def note_recipe(self, made: Tensor, recipe: Recipe) -> None:
        self._recipes[id(made)] = recipe, made._version

    def recipe(self, tensor: Tensor) -> Recipe | None:
        """How a tensor, or the one that it is a view of, was worked out from the network's own; None where it was not,
        or was written over since."""
        recipe, version = self._recipes.get(id(self.own(tensor)), (None, -1))
        return recipe if version == self.own(tensor)._version else None

    def sources(self, tensors: Sequence[Tensor]) -> frozenset[str]:
        """The names of the network's own tensors among these, and of those that the others were worked out from."""
        found = [self._keys.get(id(one), frozenset(self._own.get(id(one), ())[:1])) for one in tensors]
        return frozenset().union(*found)

    def constant(self, tensor: Tensor, keys: frozenset[str]) -> None:
        """Note that a tensor is no value, but worked out from these of the network's own."""
        self._keys[id(tensor)] = keys
        self._alive.append(tensor)


def _memory(tensor: Tensor) -> int:
    """Which memory a tensor is in."""
    return int(tensor.untyped_storage()._cdata)
