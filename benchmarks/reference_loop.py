"""The reference's training loop, and how it predicts, for comparison.

This reimplements the published notebooks: in every epoch every clip is read from its WAV file and
transformed (with MFCCs twice, the second time to measure training accuracy); one plain float32
Adam step per batch.

Run     python benchmarks/reference_loop.py FOLDER: the class of each recording, by random weights
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import soundfile
import torch
import torchaudio
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

N_FRAMES = 36
BATCH = 32

Clips = tuple[list[Path], list[int]]
"""WAV files and their class numbers."""


class Mfccs:
    """MFCCs (36, 13) of a peak-normalised clip, by torchaudio."""

    passes = 2
    """How often the notebook reads each train clip in an epoch."""

    def __init__(self) -> None:
        self.mfcc = torchaudio.transforms.MFCC(
            8000, 13, melkwargs={"n_fft": 400, "hop_length": 160, "n_mels": 40}
        )

    def __call__(self, file: Path) -> Tensor:
        samples, _ = soundfile.read(file, dtype="float32")
        waveform = torch.from_numpy(samples)
        features = self.mfcc(waveform / waveform.abs().max()).T  # (n_frames, 13)
        padding = max(0, N_FRAMES - len(features))
        return nn.functional.pad(features, (0, 0, 0, padding))[:N_FRAMES]


class Spectrograms:
    """Spectrograms (32, 1025) of a clip, by librosa."""

    passes = 1

    def __call__(self, file: Path) -> Tensor:
        from extraction import spectrogram  # librosa, which the MFCCs do without

        return torch.from_numpy(spectrogram(file)).T.contiguous()


READERS: dict[str, type[Mfccs] | type[Spectrograms]] = {
    "mfcc": Mfccs,
    "mfcc_int": Mfccs,
    "spectrogram": Spectrograms,
}
"""Reader by kind of features."""


class RereadingDataset(Dataset[tuple[Tensor, int]]):
    """Clips as features, computed on every access."""

    def __init__(self, clips: Clips, read: Callable[[Path], Tensor]) -> None:
        self.files, self.classes = clips
        self.read = read

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        return self.read(self.files[i]), self.classes[i]


class ReferenceLstm(nn.Module):
    """LSTM 2x128 with dropout 0.3 and a linear layer on the last frame."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(13, 128, 2, batch_first=True, dropout=0.3)
        self.linear = nn.Linear(128, 10)

    def forward(self, x: Tensor, n_frames: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.lstm(x)[0][:, -1])
        return logits


def train(
    network: nn.Module,
    read: Mfccs | Spectrograms,
    clips: dict[str, Clips],
    n_epochs: int,
    device: torch.device,
) -> Iterator[float]:
    """Seconds that each epoch takes.

    Parameters
    ----------
    network
        Called with x (batch, n_frames, n_coefficients) and n_frames (batch,).
    read
        WAV file to features.
    clips
        Of the subset ``train``, and ``val`` where each epoch ends with validation.
    n_epochs
        How many to train.
    device
        Where.
    """
    torch.manual_seed(42)
    network.to(device)
    loaded = {name: RereadingDataset(some, read) for name, some in clips.items()}
    measured = ["train"] * (read.passes - 1) + [name for name in loaded if name == "val"]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)

    def batches(name: str) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for x, y in DataLoader(loaded[name], batch_size=BATCH, shuffle=name == "train"):
            yield x.to(device), torch.full((len(x),), x.shape[1], device=device), y.to(device)

    for _ in range(n_epochs):
        start = time.perf_counter()
        network.train()
        for x, n_frames, y in batches("train"):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x, n_frames), y).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            for name in measured:
                for x, n_frames, y in batches(name):
                    (network(x, n_frames).argmax(1) == y).sum().item()
        yield time.perf_counter() - start


def extract(files: list[Path]) -> float:
    """Seconds to compute the MFCCs of every clip once."""
    start = time.perf_counter()
    dataset = RereadingDataset((files, [0] * len(files)), Mfccs())
    for i in range(len(dataset)):
        dataset[i]
    return time.perf_counter() - start


@torch.inference_mode()
def predict(files: list[Path]) -> list[int]:
    """The class of each recording, one after the other."""
    network, read = ReferenceLstm().eval(), Mfccs()
    n_frames = torch.tensor([N_FRAMES])
    return [int(network(read(file)[None], n_frames).argmax()) for file in files]


if __name__ == "__main__":
    torch.set_num_threads(1)  # of one clip at a time, more threads wait for each other
    given = Path(sys.argv[1])
    print(*predict(sorted(given.rglob("*.wav")) if given.is_dir() else [given]))
