"""Priors of the classes: a network learns how many clips of each it was shown.

There are several times as many clips of `_unknown_` as of any word, for what is none of the words
is manifold, not because it is likely. Left alone, the network takes doubtful words for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from spoken_digits.rejection.labels import word_mask


def log_priors(y: NDArray[np.int64], labels: Sequence[str]) -> NDArray[np.float64]:
    """How much likelier than a word the train clips make each class, (n_labels,), in nats.

    0 for words; ``ln(n / mean number of clips of a word)`` for what is none of them.

    Parameters
    ----------
    y
        (n,) class numbers of the train clips.
    labels
        The classes.
    """
    is_word = word_mask(labels)
    counts = np.bincount(y, minlength=len(labels)).astype(np.float64)
    relative = np.maximum(counts, 1.0) / max(1.0, float(counts[is_word].mean()))
    return np.where(is_word, 0.0, np.log(relative))


def make_even(network: nn.Module, priors: NDArray[np.float64]) -> None:
    """Take the priors (n_labels,) out of the logits, by the bias of the last layer.

    Saerens, Latinne and Decaestecker, "Adjusting the outputs of a classifier to new a priori
    probabilities", 2002. Nothing is fitted.
    """
    last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
    bias: torch.Tensor | None = last.bias
    if bias is None or len(bias) != len(priors):
        raise ValueError("the last linear layer has no bias for each class")
    with torch.no_grad():
        bias.sub_(torch.from_numpy(priors).to(bias))
