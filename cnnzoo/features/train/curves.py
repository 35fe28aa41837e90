"""Loss and accuracy by epoch as a picture, of one run or of several beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..draw import need_for
from ..draw.sheet import DATES, DPI, settings
from .settings import Epoch, best_of


def curves(runs: Mapping[str, Sequence[Epoch]], format: str) -> bytes:
    """The loss and the accuracy of each run: dashed on the pictures trained on, as they were met, and on those for
    validation; a dot at its best epoch. Raises `NotInstalledError` where matplotlib is not installed."""
    need_for(format)
    from io import BytesIO

    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    with settings():
        figure = Figure(figsize=(8, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        for number, (name, history) in enumerate(runs.items()):
            epochs = [one.epoch for one in history]
            colour = f"C{number}"
            best = best_of(list(history))
            for axes, trained, held in (
                (left, [one.loss for one in history], [one.val_loss for one in history]),
                (right, [one.accuracy for one in history], [one.val_accuracy for one in history]),
            ):
                marker = "." if len(history) == 1 else ""
                axes.plot(epochs, trained, "--", color=colour, lw=1, marker=marker, label=f"{name}, training")
                axes.plot(epochs, held, color=colour, lw=1.6, marker=marker, label=f"{name}, validation")
                axes.plot(best.epoch, held[epochs.index(best.epoch)], "o", color=colour, ms=5)
        for axes, title in ((left, "Loss"), (right, "Accuracy")):
            axes.set(title=title, xlabel="Epoch")
            axes.grid(alpha=0.3)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        right.yaxis.set_major_formatter(PercentFormatter(1, decimals=None))
        right.legend(fontsize=7)
        out = BytesIO()
        figure.savefig(out, format=format, dpi=DPI if format == "png" else 72, metadata=DATES[format])
    return out.getvalue()
