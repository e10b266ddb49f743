"""How clips are drawn into train, validation and test, and the proof that none leaks.

scikit-learn draws; it is imported where it does, since it takes a second to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from spoken_digits.bounds import Bounds, ByCorpus
from spoken_digits.config import Config, build, convert_part
from spoken_digits.data.subsets import SUBSETS
from spoken_digits.errors import UserError

OFFICIAL = "official_subset"
"""Column of the manifest, where the corpus's authors divided the clips themselves."""


@dataclass(frozen=True, kw_only=True)
class SplitParams:
    """Section `split`."""

    scheme: Literal["random", "official", "speaker"]
    """random: over all clips; official: test on the clips that the corpus's authors set aside,
    validate on theirs if they name them; speaker: no speaker is in two subsets."""
    stratify: bool
    """random, official: every subset gets the same share of every word, as near as counts allow."""
    fold: Annotated[int, Bounds(0, 999, example=0)]
    """speaker: number of the test fold; the fold before it is for validation."""
    n_folds: Annotated[int, Bounds(3, 1000, example=5)]
    """speaker: number of folds to make where the corpus has no published ones; 3 or more, for
    test, val and train."""
    test_fraction: Annotated[float, Bounds(above=0, below=1, example=0.2)]
    """random: share of clips in test."""
    val_fraction: Annotated[float, Bounds(above=0, below=1, example=0.1)]
    """random, official: share of all clips in validation, unless the corpus's authors chose it."""
    split_on: ByCorpus
    """Corpus name -> keys of this section to override on that corpus."""

    def __post_init__(self) -> None:
        for corpus, changes in self.split_on.items():
            where = f"split.split_on.{corpus}"
            convert_part(SplitParams, changes, where, without=("split_on",))
        if self.test_fraction + self.val_fraction >= 1:
            raise ValueError(
                f"`test_fraction` and `split.val_fraction` add up to "
                f"{self.test_fraction + self.val_fraction:g} and leave nothing to train on"
            )


def read_params(config: Config, corpus: str) -> SplitParams:
    """Section `split`, with what its `split_on` changes for this corpus.

    Raises
    ------
    UserError
        A wrong key or value, named where it stands.
    """
    section = config.subsection("split")
    usual = build(SplitParams, section, "split")
    changes = usual.split_on.get(corpus)
    if changes is None:
        return usual
    where = f"split.split_on.{corpus}"
    for key in config.subsection(where):
        if key not in section or key == "split_on":
            raise UserError(f"params.yaml: unknown key `{where}.{key}`: not a key of `split`")
    return build(SplitParams, {**section, **changes}, where)


def assign(
    manifest: pd.DataFrame,
    params: SplitParams,
    seed: int,
    speaker_folds: Sequence[Sequence[str]] | None = None,
    official_test_takes: Sequence[int] | None = None,
) -> pd.Series:
    """The subset of every utterance.

    Clips with the same content always go together: a copy must not be tested on.

    Parameters
    ----------
    manifest
        As made by `download`. A column `official_subset` holds the subsets of the corpus's authors.
    params
        Section `split`.
    seed
        Draws the random choices.
    speaker_folds
        The corpus's published folds, if any: the test speakers of each.
    official_test_takes
        The takes that the corpus's authors set aside, if any.

    Returns
    -------
    pandas.Series
        ``train``, ``val`` or ``test``, indexed like `manifest`.

    Raises
    ------
    UserError
        The scheme does not suit the corpus, or a subset would be empty.
    """
    # One stream for the test subset and one for the rest: another validation share leaves the
    # test clips where they are.
    for_test, for_val = (_random_state(seed, stream) for stream in (1, 2))
    if params.scheme == "speaker":
        subsets = _by_speaker(manifest, params, speaker_folds, for_test)
    elif params.scheme == "official" and OFFICIAL in manifest:
        subsets = _as_published(manifest)
    else:
        if params.scheme == "official":
            is_test = _official(manifest, official_test_takes)
        else:
            is_test = _draw(manifest, params.test_fraction, params.stratify, for_test)
        rest = manifest[~is_test]
        share = params.val_fraction * len(manifest) / max(1, len(rest))
        is_val = _draw(rest, min(share, 1.0), params.stratify, for_val)
        subsets = pd.Series("train", index=manifest.index, name="subset")
        subsets[is_test] = "test"
        subsets.loc[rest.index[is_val]] = "val"
    check(manifest, subsets, params)
    return subsets


def _random_state(seed: int, stream: int) -> np.random.RandomState:
    """A stream of random numbers of its own, in the form that scikit-learn takes."""
    return np.random.RandomState(np.random.MT19937(np.random.SeedSequence([seed, stream])))


def _draw(
    clips: pd.DataFrame, fraction: float, stratify: bool, random_state: np.random.RandomState
) -> NDArray[np.bool_]:
    """A random share of the clips as a mask (n_clips,), copies together.

    With `stratify` every word has the same share, and a word of one recording gives none. The
    mask is empty if the share of a word of average count is less than half a clip.
    """
    from sklearn.model_selection import train_test_split

    recordings = clips.drop_duplicates("sha256")
    n_words = 1
    if stratify:
        counts = recordings["label"].map(recordings["label"].value_counts())
        recordings = recordings[counts > 1]
        n_words = recordings["label"].nunique()
    n = len(recordings)
    n_chosen = round(fraction * n)
    if n and round(fraction * n / n_words) > 0:
        n_chosen = max(n_chosen, n_words)
    if not n_words <= n_chosen <= n - n_words:
        return np.zeros(len(clips), bool)
    _, chosen = train_test_split(
        recordings["sha256"].to_numpy(str),
        test_size=n_chosen,
        stratify=recordings["label"].to_numpy(str) if stratify else None,
        random_state=random_state,
    )
    return clips["sha256"].isin(chosen).to_numpy()


def _official(manifest: pd.DataFrame, takes: Sequence[int] | None) -> NDArray[np.bool_]:
    if takes is None:
        raise UserError(
            "params.yaml: `split.scheme` is official, but this corpus has no official test takes: "
            "use random or speaker"
        )
    return manifest["take"].isin(takes).to_numpy()


def _as_published(manifest: pd.DataFrame) -> pd.Series:
    subsets: pd.Series = manifest[OFFICIAL].rename("subset")
    odd = subsets[~subsets.isin(SUBSETS)]
    if len(odd):
        raise UserError(
            f"manifest.csv puts {manifest['utterance'][odd.index[0]]} into the subset "
            f"{odd.iloc[0]!r}: make it again with `dvc repro --force download`"
        )
    empty = [subset for subset in SUBSETS if not (subsets == subset).any()]
    if empty:
        raise UserError(
            f"none of the {len(manifest)} clips is in the corpus's own {' or '.join(empty)} "
            "subset: raise `corpus.limit`, or use another `split.scheme`"
        )
    return subsets


def _by_speaker(
    manifest: pd.DataFrame,
    params: SplitParams,
    folds: Sequence[Sequence[str]] | None,
    random_state: np.random.RandomState,
) -> pd.Series:
    if folds is None:
        folds = _speaker_folds(manifest["speaker"], params.n_folds, random_state)
    if not 0 <= params.fold < len(folds):
        raise UserError(
            f"params.yaml: `split.fold` is {params.fold}, must be 0 to {len(folds) - 1}"
        )
    subsets = pd.Series("train", index=manifest.index, name="subset")
    subsets[manifest["speaker"].isin(folds[params.fold])] = "test"
    # The published protocol of AudioMNIST: validate on the test speakers of the fold before.
    subsets[manifest["speaker"].isin(folds[params.fold - 1])] = "val"
    return subsets


def _speaker_folds(
    speakers: pd.Series, n_folds: int, random_state: np.random.RandomState
) -> list[list[str]]:
    """The speakers of each fold, as many in one as in another."""
    from sklearn.model_selection import GroupKFold

    names = sorted(set(speakers))
    if len(names) < 3:
        raise UserError(
            f"params.yaml: `split.scheme` is speaker, but the corpus tells of {len(names)} "
            f"speaker(s) ({', '.join(names)}) and test, val and train need one each: use "
            "`split.scheme: random`, or name speakers in `corpus.label_pattern`"
        )
    if len(names) < n_folds:
        raise UserError(
            f"params.yaml: `split.n_folds` is {n_folds}, but there are only {len(names)} speakers "
            f"({', '.join(names)}): use fewer folds or `split.scheme: random`"
        )
    folds = GroupKFold(n_folds, shuffle=True, random_state=random_state)
    return [sorted(set(speakers.iloc[test])) for _, test in folds.split(speakers, groups=speakers)]


def check(manifest: pd.DataFrame, subsets: pd.Series, params: SplitParams) -> None:
    """Refuse subsets that are empty, lack words, share a recording, or share a speaker.

    Raises
    ------
    UserError
        Naming what is wrong and the first culprit.
    """
    for subset in SUBSETS:
        if not (subsets == subset).any():
            raise UserError(
                f"params.yaml: `split.{_culprit(params, subset)}` leaves {subset} empty "
                f"({len(manifest)} clips in all): choose another value or record more"
            )
    unheard = sorted(set(manifest["label"]) - set(manifest["label"][subsets == "train"]))
    if unheard:
        raise UserError(
            f"no clip of {', '.join(unheard)} is left to train on: "
            f"lower `split.test_fraction` or record more (scheme {params.scheme})"
        )
    groups = ["sha256", "speaker"] if params.scheme == "speaker" else ["sha256"]
    for column in groups:
        spread = subsets.groupby(manifest[column]).nunique()
        leaked = spread.index[spread > 1]
        if len(leaked):
            names = manifest["utterance"][manifest[column] == leaked[0]].tolist()
            what = "the same recording" if column == "sha256" else f"speaker {leaked[0]}"
            raise UserError(
                f"{what} is in two subsets ({', '.join(names[:3])}): "
                "remove the copies or name the speakers apart"
            )


def _culprit(params: SplitParams, subset: str) -> str:
    if params.scheme == "speaker":
        return "fold"
    return "test_fraction" if subset == "test" and params.scheme == "random" else "val_fraction"
