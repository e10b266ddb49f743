"""The reference's way of training the 2x128 LSTM, as the benchmark's yardstick.

What the published notebooks do, written anew: in every epoch every clip is read from its WAV
file, peak-normalised and turned into MFCCs by torchaudio, once to train and once more to measure
training accuracy; a plain Adam step a batch.
"""

from __future__ import annotations

import time
from pathlib import Path

import soundfile
import torch
import torchaudio
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

N_FRAMES = 36


class RereadingDataset(Dataset[tuple[Tensor, int]]):
    """Clips as MFCCs (36, 13), computed whenever they are asked for."""

    def __init__(self, files: list[Path], labels: list[int]) -> None:
        self.files, self.labels = files, labels
        self.mfcc = torchaudio.transforms.MFCC(
            8000, 13, melkwargs={"n_fft": 400, "hop_length": 160, "n_mels": 40}
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        samples, _ = soundfile.read(self.files[i], dtype="float32")
        waveform = torch.from_numpy(samples)
        features = self.mfcc(waveform / waveform.abs().max()).T  # (n_frames, 13)
        padding = max(0, N_FRAMES - len(features))
        return nn.functional.pad(features, (0, 0, 0, padding))[:N_FRAMES], self.labels[i]


class ReferenceLstm(nn.Module):
    """LSTM 2x128 with dropout 0.3 and a linear layer on the last frame."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(13, 128, 2, batch_first=True, dropout=0.3)
        self.linear = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.linear(self.lstm(x)[0][:, -1])
        return logits


def train(files: list[Path], labels: list[int], epochs: int) -> float:
    """Seconds that `epochs` epochs take."""
    start = time.perf_counter()
    torch.manual_seed(42)
    dataset = RereadingDataset(files, labels)
    network = ReferenceLstm()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    for _ in range(epochs):
        network.train()
        for x, y in DataLoader(dataset, batch_size=32, shuffle=True):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(x), y).backward()
            optimizer.step()
        network.eval()
        with torch.no_grad():
            for x, _ in DataLoader(dataset, batch_size=32):
                network(x)
    return time.perf_counter() - start


def extract(files: list[Path]) -> float:
    """Seconds to compute the MFCCs of every clip once."""
    start = time.perf_counter()
    dataset = RereadingDataset(files, [0] * len(files))
    for i in range(len(dataset)):
        dataset[i]
    return time.perf_counter() - start
