"""Write the README of an exported network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spoken_digits.embedded.emit.recogniser import ram_bytes
from spoken_digits.embedded.emit.tables import table_bytes
from spoken_digits.embedded.package import listening, platforms
from spoken_digits.embedded.package.model import Model
from spoken_digits.integer.frontend.log_mel_specification import LogMelSpec
from spoken_digits.integer.frontend.specification import WINDOW_SAMPLES
from spoken_digits.rejection.labels import NOT_WORDS

MEASURED = {
    "flash_bytes": "flash of the network, code and constants, bytes",
    "frontend_flash_bytes": "flash of the front-end, code and constants, bytes",
    "stack_bytes": "stack that was used at most, bytes",
    "stack_bound_bytes": "stack that no call can exceed, by static analysis, bytes",
    "instructions_m0": "instructions of the network, a whole clip, Cortex-M0",
    "instructions_m3": "instructions of the network, a whole clip, Cortex-M3",
    "frontend_instructions_m0": "instructions of the front-end, a frame, Cortex-M0",
    "frontend_instructions_m3": "instructions of the front-end, a frame, Cortex-M3",
    "recogniser_instructions_m0": "instructions of all, the longest test clip, Cortex-M0",
    "recogniser_instructions_m3": "instructions of all, the longest test clip, Cortex-M3",
}
"""What the README can say of metrics/cortex_m/."""


@dataclass(frozen=True, kw_only=True)
class Readme:
    """Content of the README; fields as in `folder.export_files`."""

    model: Model
    utterances: Sequence[str]
    measured: Mapping[str, int]
    proof: Mapping[str, Any]

    def text(self) -> str:
        """The page, in Markdown."""
        parts = [self._what(), platforms.readme(self.model.name), self._model(), self._memory()]
        parts += [self._interface(), self._microphone()]
        model = self.model
        parts.append(listening.readme(model.detector, model.name))
        if model.sliding is not None:
            parts.append(
                listening.sliding_readme(model.sliding, model.network, model.spec, model.name)
            )
        parts += [self._check(), self._licence()]
        return "\n\n".join(parts) + "\n"

    def _what(self) -> str:
        spec, n_words = self.model.spec, len(self._words())
        synthetic = (
            "\n\n**Trained on synthetic speech**: its figures say nothing about people."
            if self.model.provenance.get("synthetic") is True
            else ""
        )
        hears = (
            f"It finds the loudest {self._seconds()} of a clip of any length and answers with one "
            "word."
            if isinstance(spec, LogMelSpec)
            else f"It takes one clip of at most {self._seconds()} and answers with one word."
        )
        limits = self._limits()
        return f"""# {self.model.name}

A spoken-word recogniser in C99, integers only: int16 samples at {spec.sample_rate:,} Hz in,
one of {n_words} words out. No floating point, no allocation, no recursion, no library but
`memcpy` and its kin where a compiler puts them in. The caller owns all memory. It gives the same
bits as the Python model it was generated from; `make check` proves it.

{hears}
{limits}{synthetic}"""

    def _words(self) -> list[str]:
        """The labels that are words."""
        return [label for label in self.model.labels if label not in NOT_WORDS]

    def _limits(self) -> str:
        """What it does where no word is said."""
        others = [f"`{label}`" for label in self.model.labels if label in NOT_WORDS]
        stream = "By itself it does not find words in a stream of sound"
        if others:
            says = f"Where it answers {' or '.join(others)}, it heard none of its words."
            return f"{stream}: the detector is for that.\n{says}"
        any_word = "answers with one of its\nwords whatever it hears"
        return f"{stream}, and {any_word}: the detector is for that."

    def _seconds(self) -> str:
        """Length of the word that the network sees."""
        spec = self.model.spec
        window = spec.window_length if isinstance(spec, LogMelSpec) else WINDOW_SAMPLES
        return f"{((spec.n_frames - 1) * spec.hop_length + window) / spec.sample_rate:.2f} s"

    def _model(self) -> str:
        spec, network = self.model.spec, self.model.network
        every = f"every {1000 * spec.hop_length / spec.sample_rate:g} ms"
        if isinstance(spec, LogMelSpec):
            heard = f"{spec.n_mels} int8 log-mel bands {every}, relative to the word's level"
        else:
            heard = f"{spec.n_mfcc} int8 coefficients {every}"
        up_to = "up to " if network.any_length else ""
        kinds = Counter(node.operator.kind for node in network.nodes)
        kind = (
            f"{len(network.nodes)} operators ({', '.join(f'{n} {k}' for k, n in kinds.items())}) "
            f"on {up_to}{spec.n_frames} frames, "
            f"{up_to}{network.multiply_accumulates(spec.n_frames):,} multiplications"
        )
        rows = {
            "words": ", ".join(self._words()),
            "front-end": heard,
            "front-end specification": spec.fingerprint(),
            "network": f"{kind}, {network.n_classes} logits; weights {network.scheme}",
            **self.model.provenance,
        }
        return "## Model\n\n" + _table(("what", ""), rows)

    def _memory(self) -> str:
        ram = ram_bytes(self.model.network, self.model.spec)
        rows = {
            "constants: parameters of the network": self.model.network.parameter_bytes(),
            "constants: front-end tables": table_bytes(self.model.spec),
            f"RAM: `{self.model.name}_recogniser_memory`": ram["memory"],
            "RAM: `sd_recogniser`": ram["recogniser"],
            "RAM together": sum(ram.values()),
        }
        page = "## Memory\n\n" + _table(
            ("what", "bytes"), {key: f"{value:,}" for key, value in rows.items()}
        )
        page += (
            "\n\nRAM is for 32-bit pointers, and all that a clip needs besides the stack. Add the "
            "code:\n`make size` (see the Makefile) shows the sizes with your compiler."
        )
        found = {MEASURED[key]: f"{value:,}" for key, value in self.measured.items()}
        if found:
            page += "\n\nMeasured in an emulator that counts instructions, not cycles:\n\n"
            page += _table(("what", ""), found)
        return page

    def _interface(self) -> str:
        network, name = self.model.network, self.model.name
        cost = (
            "runs front-end and network with each frame."
            if network.any_length
            else "runs the front-end, `sd_recogniser_result` the whole network."
        )
        return f"""## Use

    #include "model.h"

    static sd_recogniser recogniser;
    static MODEL_MEMORY memory;

    status = sd_recogniser_init(&recogniser, &MODEL, MODEL_ID, &memory, sizeof memory);
    /* samples arrive, in blocks of any size */
    status = sd_recogniser_hear(&recogniser, samples, n);
    /* the word is over */
    status = sd_recogniser_result(&recogniser, logits, &word);
    puts(MODEL.labels[word]);
    /* before the next one */
    status = sd_recogniser_reset(&recogniser);

Every call returns `SD_OK` or what was wrong with it: `src/engine/sd_recogniser.h` lists the
statuses. A call that was wrong changes nothing.
`sd_recogniser_hear` {cost}
`logits` has `MODEL_N_CLASSES` elements, each in steps of {network.logit_step:.9g}.

To use another model, put its folder in place of this one: the application changes no line but,
where a build system wants one, the name. `sd_recogniser_init` refuses a model whose header was
not the one compiled in. Two models go into one program by their own names, `{name}_model` of
`{name}_model.h` in place of `MODEL`: lay one `src/` over the other. Files of one name are the
same, but for `model.h`, `detector.h` and `selftest/`, of which one is enough."""

    def _microphone(self) -> str:
        rate = self.model.spec.sample_rate
        if isinstance(self.model.spec, LogMelSpec):
            ends = f"""\
- A clip may begin long before the word and end long after it: the loudest {self._seconds()} count,
  and silence fills up what is shorter. A loudness detector that ends the clip when the word has
  ended is enough in a quiet room.
- Ask for the result from the main loop: no samples are taken until the network has run."""
        else:
            ends = """\
- Begin a clip with the word: a loudness detector that keeps the last few blocks is enough in a
  quiet room. End it when the word ends, or at `SD_CLIP_FULL`."""
        return f"""## Feeding a microphone

- Mono, {rate:,} Hz, int16. From {2 * rate:,} Hz: `sd_decimator_push` halves the rate of each
  block, in place (`engine/sd_decimator.h`); to drop every second sample folds noise into the
  speech.
- An unsigned ADC: subtract its middle. A 12-bit ADC: shift left by 4. Gain does not matter within
  reason, since the front-end adjusts its level; clipping does.
- Call `sd_recogniser_hear` from the main loop with each block that DMA completes, not from the
  interrupt: a frame takes the time of one transform.
{ends}"""

    def _check(self) -> str:
        clips = ", ".join(f"`{utterance}`" for utterance in self.utterances)
        return f"""## Check

`make check` streams the golden clips through recogniser and detector and compares every logit and
event with the Python model's. On your board, `sd_selftest` does the same and returns how many
differ:

    #include "selftest/sd_selftest.h"

    if (sd_selftest(&memory, &kept, 0) != 0) {{ /* the application's own memory, before its use */
        /* this compiler or board gives other bits */
    }}

The clips are {clips}.

    make check
    make check CC='riscv64-linux-gnu-gcc -static' RUN=qemu-riscv64
    make objects CC=arm-none-eabi-gcc CFLAGS='-mcpu=cortex-m0 -mthumb -Os -ffreestanding'

The compiler must have 32-bit two's complement arithmetic and arithmetic right shifts; both are
asserted at compile time. An `int` may have 16 bits. Headers can be used from C++. The DSP
instructions of a Cortex-M4, M7 or M33 are used where the compiler's target has them, AVX2
likewise; the results are the same bits. `-DSD_PORTABLE` leaves them out, and then headers with
`avx2` in their name are not needed.

{self._proof()}"""

    def _proof(self) -> str:
        """What was proven before the export, and what was not."""
        runs, left_out = self.proof.get("proof", {}), self.proof.get("left_out", {})
        if not runs:
            why = self.proof.get("not_measured", "no figures of this model are recorded")
            return f"Nothing else was run before the export: {why}."
        rows = {name: f"{run['clips']:,} | {run['mismatches']:,}" for name, run in runs.items()}
        lines = [
            "Before the export, test clips ran through this code on each of these, from samples to",
            "logits. A mismatch is a clip with any bit different from the Python model's.",
            "",
            "| compiler or processor | clips | mismatches |",
            "|---|--:|--:|",
            *(f"| {_cell(name)} | {run} |" for name, run in rows.items()),
        ]
        if left_out:
            lines += ["", "Not run:", ""]
            lines += [f"- {name}: {_cell(why)}" for name, why in left_out.items()]
        return "\n".join(lines)

    def _licence(self) -> str:
        corpus = self.model.provenance.get("corpus", "the corpus")
        terms = self.model.provenance.get("corpus_licence", "that of the corpus")
        return f"""## Licence

The C sources: see `LICENSE`. The weights were trained on, and the samples in
`src/selftest/golden.c` are recordings of, this corpus: {corpus}; its licence: {terms}.
Leave `src/selftest/` out of your product if those terms do not suit you, and name the corpus where
they ask for it."""


def _table(head: tuple[str, str], rows: Mapping[str, object]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    lines += [f"| {_cell(key)} | {_cell(value)} |" for key, value in rows.items()]
    return "\n".join(lines)


def _cell(value: object) -> str:
    return " ".join(str(value).replace("|", "\\|").split())
