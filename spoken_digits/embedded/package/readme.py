"""Write the README of an exported network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from spoken_digits.embedded.emit import network as c_network
from spoken_digits.embedded.emit.tables import table_bytes
from spoken_digits.integer.frontend.specification import (
    FFT_POINTS,
    WINDOW_SAMPLES,
    FrontendSpec,
)
from spoken_digits.integer.network import IntegerLSTM

CEPSTRUM_MAX_MELS = 40
"""``SD_CEPSTRUM_MAX_MELS`` of firmware/sd_frontend.h."""
_LIVES = {"sd_frontend": ", from frame to frame", "sd_frontend_scratch": ", free between frames"}
_MEASURED = {
    "flash_bytes": "flash, code and constants, bytes",
    "ram_bytes": "RAM, bytes",
    "stack_bytes": "stack at most, bytes",
    "instructions_m0": "instructions, Cortex-M0",
    "instructions_m3": "instructions, Cortex-M3",
}


@dataclass(frozen=True, kw_only=True)
class Readme:
    """Content of the README; fields as in `folder.export_files`."""

    network: IntegerLSTM
    spec: FrontendSpec
    name: str
    labels: Sequence[str]
    provenance: Mapping[str, object]
    utterances: Sequence[str]
    measured: Mapping[str, int]

    def text(self) -> str:
        """The page, in Markdown."""
        parts = [self._what(), self._model(), self._memory(), self._interface()]
        parts += [self._microphone(), self._check(), self._licence()]
        return "\n\n".join(parts) + "\n"

    def _what(self) -> str:
        spec, n_words = self.spec, len(self.labels)
        n_samples = (spec.n_frames - 1) * spec.hop_length + WINDOW_SAMPLES
        seconds = f"{n_samples / spec.sample_rate:.2f} s"
        synthetic = (
            "\n\n**Trained on synthetic speech**: its figures say nothing about people."
            if self.provenance.get("synthetic") is True
            else ""
        )
        return f"""# {self.name}

A spoken-word recogniser in C99, integers only: int16 samples at {spec.sample_rate:,} Hz in,
one of {n_words} words out. No floating point, no allocation, no recursion, no library but `memcpy`
and its kin where a compiler puts them in. The caller owns all memory. It gives the same bits as
the Python model it was generated from; `make check` proves it.

It takes one clip of at most {seconds} and answers with one word. It does not find words in a
stream of sound, and it answers with one of its words whatever it hears.{synthetic}"""

    def _model(self) -> str:
        units = ", ".join(str(layer.n_units) for layer in self.network.layers)
        rows = {
            "words": ", ".join(self.labels),
            "front-end": f"{self.spec.n_mfcc} int8 coefficients every "
            f"{1000 * self.spec.hop_length / self.spec.sample_rate:g} ms",
            "front-end specification": self.spec.fingerprint(),
            "network": f"LSTM layers of {units} units, mean over frames, "
            f"{self.network.n_classes} logits; weights {self.network.scheme}",
            **self.provenance,
        }
        return "## Model\n\n" + _table(("what", ""), rows)

    def _memory(self) -> str:
        rows: dict[str, object] = {
            "constants: weights, biases, shifts, activation table": (
                f"{self.network.parameter_bytes():,}"
            ),
            "constants: front-end tables": f"{table_bytes(self.spec):,}",
        }
        ram = ram_bytes(self.network, self.name)
        rows |= {f"RAM: `{ctype}`{_LIVES.get(ctype, '')}": f"{n:,}" for ctype, n in ram.items()}
        rows["RAM together"] = f"{sum(ram.values()):,}"
        page = "## Memory\n\n" + _table(("what", "bytes"), rows)
        page += (
            "\n\nRAM is for 32-bit pointers. Add about 4 KiB of code and a stack\n"
            "of less than 1 KiB; `make size` (see the Makefile) shows the sizes with your compiler."
        )
        found = {_MEASURED[key]: f"{value:,}" for key, value in self.measured.items()}
        if found:
            page += "\n\nMeasured in an emulator that counts instructions, not cycles:\n\n"
            page += _table(("what", ""), found)
        return page

    def _interface(self) -> str:
        name, upper = self.name, self.name.upper()
        return f"""## Use

Add `src/*.c` to your build and `include` to its header folders.

    static sd_frontend frontend;
    static sd_frontend_scratch scratch;
    static {name}_memory memory;
    static sd_network_state state = SD_STATE(memory);

    /* a word begins */
    sd_frontend_reset(&frontend);
    sd_network_reset(&{name}, &state);
    /* any number of samples arrives: push until all are taken */
    taken = sd_frontend_push(&{name}_frontend, &frontend, samples, n);
    if (sd_frontend_ready(&{name}_frontend, &frontend)) {{
        sd_frontend_frame(&{name}_frontend, &frontend, &scratch, features);
        sd_network_push(&{name}, &state, features);
    }}
    /* the word is over */
    sd_network_finish(&{name}, &state, logits);
    word = {name}_labels[sd_argmax(logits, {upper}_N_CLASSES)];

`example/main.c` is a whole program: its `start`, `hear` and `finish` are what an application
needs, with the limit of `{upper}_FRONTEND_N_FRAMES` frames and the case of a clip shorter than one.
A real value is a logit divided by 2^{upper}_LOGIT_FRACTION_BITS."""

    def _microphone(self) -> str:
        rate = self.spec.sample_rate
        return f"""## Feeding a microphone

- Mono, {rate:,} Hz, int16. From 16,000 Hz or more: low-pass below {rate // 2:,} Hz, then decimate;
  dropping samples without the filter folds noise into the speech.
- An unsigned ADC: subtract its middle. A 12-bit ADC: shift left by 4. Gain does not matter within
  reason, since the front-end adjusts its level; clipping does.
- Call `hear` from the main loop with each block that DMA completes, not from the interrupt: a
  frame takes the time of one transform.
- Begin a clip with the word: a loudness detector that keeps the last few blocks is enough in a
  quiet room. End it when the word ends or `{self.name.upper()}_FRONTEND_N_FRAMES` frames are
  taken."""

    def _check(self) -> str:
        clips = ", ".join(f"`{utterance}`" for utterance in self.utterances)
        return f"""## Check

`make check` streams the golden clips through the example and compares the number of frames, every
feature (by a hash; the first frames one by one) and every logit with the Python model's. On your
board, do the same with `example/` linked in: `main` returns 0 when all is equal. The clips are
{clips}.

    make check
    make objects CC=arm-none-eabi-gcc CFLAGS='-mcpu=cortex-m0 -mthumb -Os -ffreestanding'

The compiler must have 32-bit two's complement arithmetic and arithmetic right shifts; both are
asserted at compile time. Headers can be used from C++. `sd_avx2.h` is for desktops only
(`-march=native`) and may be left out with `-DSD_PORTABLE`."""

    def _licence(self) -> str:
        corpus = self.provenance.get("corpus", "the corpus")
        terms = self.provenance.get("corpus_licence", "that of the corpus")
        return f"""## Licence

The C sources: see `LICENSE`. The weights were trained on, and the samples in `example/golden.c`
are recordings of, this corpus: {corpus}; its licence: {terms}.
Leave `example/` out of your product if those terms do not suit you, and name the corpus where they
ask for it."""


def ram_bytes(network: IntegerLSTM, name: str) -> dict[str, int]:
    """Bytes of each C type that an application holds, with 32-bit pointers."""
    sizes = c_network.memory_sizes(network)
    memory = 4 * sizes["sum"] + 2 * sum(sizes[part] for part in ("cell", "operand", "fresh"))
    return {
        "sd_frontend": 2 * WINDOW_SAMPLES + 8,
        "sd_frontend_scratch": _words(8 * FFT_POINTS + 2 * CEPSTRUM_MAX_MELS),
        f"{name}_memory": _words(memory),
        "sd_network_state": 20,
    }


def _words(n_bytes: int) -> int:
    """Round up to whole 32-bit words, as the compiler does."""
    return -(-n_bytes // 4) * 4


def _table(head: tuple[str, str], rows: Mapping[str, object]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    lines += [f"| {_cell(key)} | {_cell(value)} |" for key, value in rows.items()]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())
