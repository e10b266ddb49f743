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
from spoken_digits.data.manifest import UNKNOWN_SPEAKER
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
    validation: Literal["held_out", "none"]
    """held_out: some clips choose the epoch; random, official: `val_fraction` of the clips;
    speaker: those of the fold before the test fold. none: no clip validates, all but the test clips
    train, and the weights of the last epoch are kept."""
    fold: Annotated[int, Bounds(0, 999, example=0)]
    """speaker: number of the test fold."""
    n_folds: Annotated[int, Bounds(2, 1000, example=5)]
    """speaker: number of folds to make where the corpus has no published ones; as many as speakers
    leave one speaker out. 3 or more unless `validation` is none."""
    test_fraction: Annotated[float, Bounds(above=0, below=1, example=0.2)]
    """random: share of clips in test."""
    val_fraction: Annotated[float, Bounds(above=0, below=1, example=0.1)]
    """random, official: share of all clips in validation, unless the corpus's authors chose it."""
    split_on: ByCorpus
    """Corpus name -> keys of this section to override on that corpus."""

    def __post_init__(self) -> None:
        if self.validation == "held_out" and self.n_folds < 3:
            raise ValueError(
                f"`n_folds` is {self.n_folds}, but test, val and train need one fold each: use 3 "
                "or more, or `split.validation: none`"
            )
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
    return build(SplitParams, {**section, **changes}, f"split.split_on.{corpus}")


def assign(
    manifest: pd.DataFrame,
    params: SplitParams,
    seed: int,
    speaker_folds: Sequence[Sequence[str]] | None = None,
    official_test_takes: Sequence[int] | None = None,
    without: Sequence[str] = (),
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
    without
        Speakers whose clips are in no subset. Folds are drawn from all speakers all the same, so
        that fold k tests the same ones. An inner fold of a choice that speaker s must not see
        tests another fold, without s.

    Returns
    -------
    pandas.Series
        ``train``, ``val``, ``test`` or, for the clips of `without`, ``""``; indexed like
        `manifest`. With ``validation: none`` there is no ``val``.

    Raises
    ------
    UserError
        The scheme does not suit the corpus, a subset would be empty, or a word would be left out
        of training.
    """
    _check_known(manifest, without)
    # One stream for the test subset and one for the rest: another validation share leaves the
    # test clips where they are.
    for_test, for_val = (_random_state(seed, stream) for stream in (1, 2))
    if params.scheme == "speaker":
        subsets = _by_speaker(manifest, params, speaker_folds, for_test, without)
    elif params.scheme == "official" and OFFICIAL in manifest:
        subsets = _as_published(manifest)
        if params.validation == "none":
            subsets[subsets == "val"] = "train"
    else:
        if params.scheme == "official":
            is_test = _official(manifest, official_test_takes)
        else:
            is_test = _draw(manifest, params.test_fraction, params.stratify, for_test)
        rest = manifest[~is_test]
        share = params.val_fraction * len(manifest) / max(1, len(rest))
        subsets = pd.Series("train", index=manifest.index, name="subset")
        subsets[is_test] = "test"
        if params.validation == "held_out":
            is_val = _draw(rest, min(share, 1.0), params.stratify, for_val)
            subsets.loc[rest.index[is_val]] = "val"
    subsets[manifest["speaker"].isin(without)] = ""
    check(manifest, subsets, params)
    return subsets


def _check_known(manifest: pd.DataFrame, without: Sequence[str]) -> None:
    """Refuse to leave out a speaker that the corpus does not have."""
    speakers = sorted(set(manifest["speaker"]))
    strange = [name for name in without if name not in speakers]
    if strange:
        raise UserError(
            f"no speaker {strange[0]!r} to leave out: the corpus has {', '.join(speakers)}"
        )


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
    if not max(n_words, 1) <= n_chosen <= n - n_words:
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
    subsets: pd.Series = manifest[OFFICIAL].rename("subset").copy()
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
    without: Sequence[str],
) -> pd.Series:
    _check_named(manifest)
    if folds is None:
        folds = _speaker_folds(manifest["speaker"], params, random_state)
    if not 0 <= params.fold < len(folds):
        raise UserError(
            f"params.yaml: `split.fold` is {params.fold}, must be 0 to {len(folds) - 1}"
        )
    subsets = pd.Series("train", index=manifest.index, name="subset")
    tested = folds[params.fold]
    if set(tested) & set(without):
        raise UserError(
            f"fold {params.fold} tests {', '.join(tested)}: a speaker who is left out cannot be "
            "tested; choose another fold"
        )
    subsets[manifest["speaker"].isin(tested)] = "test"
    if params.validation == "held_out":
        # The published protocol of AudioMNIST: validate on the test speakers of the fold before.
        earlier = [folds[params.fold - step] for step in range(1, len(folds))]
        validate = next((fold for fold in earlier if not set(fold) <= set(without)), ())
        subsets[manifest["speaker"].isin(validate)] = "val"
    return subsets


def _check_named(manifest: pd.DataFrame) -> None:
    """Refuse clips of which nobody knows the speaker: one voice could be in two subsets."""
    nameless = manifest["utterance"][manifest["speaker"] == UNKNOWN_SPEAKER]
    if len(nameless):
        raise UserError(
            f"params.yaml: `split.scheme` is speaker, but {len(nameless)} of {len(manifest)} clips "
            f"do not say who speaks (such as {nameless.iloc[0]}): give `corpus.label_pattern` a "
            "group (?P<speaker>...) that fits them, or use `split.scheme: random`"
        )


def _speaker_folds(
    speakers: pd.Series, params: SplitParams, random_state: np.random.RandomState
) -> list[list[str]]:
    """The speakers of each fold, as many in one as in another."""
    from sklearn.model_selection import GroupKFold

    names = sorted(set(speakers))
    # The smallest number of folds: train and test, and val if there is one.
    if len(names) < len(SUBSETS) - (params.validation == "none"):
        also = "" if len(names) < 2 else ", or `split.validation: none`, which needs two"
        raise UserError(
            f"params.yaml: `split.scheme` is speaker, but the corpus tells of {len(names)} "
            f"speaker(s) ({', '.join(names)}) and {_subsets_of(params)} need one each: use "
            f"`split.scheme: random`{also}"
        )
    if len(names) < params.n_folds:
        raise UserError(
            f"params.yaml: `split.n_folds` is {params.n_folds}, but there are only {len(names)} "
            f"speakers ({', '.join(names)}): use fewer folds or `split.scheme: random`"
        )
    folds = GroupKFold(params.n_folds, shuffle=True, random_state=random_state)
    return [sorted(set(speakers.iloc[test])) for _, test in folds.split(speakers, groups=speakers)]


def _subsets_of(params: SplitParams) -> str:
    return "test and train" if params.validation == "none" else "test, val and train"


def check(manifest: pd.DataFrame, subsets: pd.Series, params: SplitParams) -> None:
    """Refuse subsets that are empty, lack words, share a recording, or share a speaker.

    Clips in no subset (``""``) do not count. Val must be empty if `validation` is none.

    Raises
    ------
    UserError
        Naming what is wrong and the first culprit.
    """
    for subset in SUBSETS:
        wanted = subset != "val" or params.validation == "held_out"
        if wanted and not (subsets == subset).any():
            raise UserError(
                f"params.yaml: `split.{_culprit(params, subset)}` leaves {subset} empty "
                f"({len(manifest)} clips in all): choose another value or record more"
            )
        if not wanted and (subsets == subset).any():
            raise UserError("params.yaml: `split.validation` is none, but clips are in val")
    _check_words(manifest, subsets, params)
    groups = ["sha256", "speaker"] if params.scheme == "speaker" else ["sha256"]
    used = subsets[subsets != ""]
    for column in groups:
        spread = used.groupby(manifest[column]).nunique()
        leaked = spread.index[spread > 1]
        if len(leaked):
            names = manifest["utterance"][manifest[column] == leaked[0]].tolist()
            what = "the same recording" if column == "sha256" else f"speaker {leaked[0]}"
            raise UserError(
                f"{what} is in two subsets ({', '.join(names[:3])}): "
                "remove the copies or name the speakers apart"
            )


def _check_words(manifest: pd.DataFrame, subsets: pd.Series, params: SplitParams) -> None:
    """Refuse a split that leaves a word out of training."""
    unheard = sorted(set(manifest["label"]) - set(manifest["label"][subsets == "train"]))
    if not unheard:
        return
    words = ", ".join(unheard)
    if params.scheme == "speaker":
        heard = ", ".join(sorted(set(manifest["speaker"][subsets == "train"])))
        raise UserError(
            f"fold {params.fold} leaves no clip of {words} to train on: none of its training "
            f"speakers ({heard}) says it; have one of them record it, or choose another "
            "`split.fold`"
        )
    raise UserError(
        f"no clip of {words} is left to train on: "
        f"lower `split.test_fraction` or record more (scheme {params.scheme})"
    )


def _culprit(params: SplitParams, subset: str) -> str:
    if subset == "val" and params.scheme == "speaker":
        return "validation"
    if params.scheme == "speaker":
        return "fold"
    if subset == "test":
        return "test_fraction" if params.scheme == "random" else "scheme"
    return "val_fraction"
