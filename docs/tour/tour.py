# %% [markdown]
# # From a waveform to a word
#
# This page follows a recording of one word through everything that a recogniser does with it, one
# small step per cell, with nothing hidden: each step is a few lines of NumPy, and at the end of
# each part the result must equal the library's own. Then the same again in integers, as on a
# microcontroller, and what it costs there.
#
# The network is `tiny`, which is defined in `params.yaml` and trained by this project.

# %%
import spoken_digits.arithmetic.portable  # noqa: F401  the same figures on every processor

import json

import matplotlib.pyplot as plt
import numpy as np
import scipy.fft
import torch
from material import TOP, models, recording

from spoken_digits import audio
from spoken_digits.audio.pcm import to_pcm
from spoken_digits.features.mel import band_edges, mel_bank
from spoken_digits.features.registry import extractor_from
from spoken_digits.integer import graph
from spoken_digits.integer.fixed import round_shift
from spoken_digits.models.model_file import load_network
from spoken_digits.quantization.integer_ds_cnn import extractor_of, float_graph

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
FRAME = 20  # the one to look at: from 0.25 s on, in the last vowel of the word

# %% [markdown]
# ## 1. A waveform
#
# A microphone measures air pressure, here 8,000 times a second, as a 16-bit integer. A recording
# is nothing but a list of such numbers. This one is from the Free Spoken Digit Dataset. The
# network was not trained on it, but it was trained on other recordings of the same speaker.

# %%
waveform, audio_format = audio.decode(recording("7_jackson_0"), "7_jackson_0.wav")
rate = audio_format.sample_rate
pcm = to_pcm(waveform)  # int16; `waveform` is the same divided by 32,768
print(f"{len(pcm):,} samples, {len(pcm) / rate:.2f} s, from {pcm.min():,} to {pcm.max():,}")
print("twelve of them:", *pcm[1000:1012])

_, axes = plt.subplots(num="waveform", figsize=(7, 1.9))
axes.plot(np.arange(len(pcm)) / rate, pcm, linewidth=0.6)
axes.axvspan(
    FRAME / 80, FRAME / 80 + 0.025, color="tab:orange", alpha=0.5, label="a frame of 25 ms"
)
axes.set(xlabel="time / s", ylabel="int16", xlim=(0, len(pcm) / rate))
axes.legend(loc="upper right", fontsize=8)

# %% [markdown]
# ## 2. Frames
#
# Speech changes all the time, but hardly within 25 ms. So the waveform is cut into frames of 200
# samples, one every 100 samples, so that neighbouring frames share half of their samples. First
# the mean is removed, because a constant offset comes from the microphone and not from the sound.

# %%
card, tensors, integers = models()
params = extractor_of(card).params  # section features.log_mel of params.yaml
length, hop, n_fft = params.window_length, params.hop_length, params.n_fft

centred = (waveform.astype(np.float64) - waveform.mean(dtype=np.float64)).astype(np.float32)
frames = np.lib.stride_tricks.sliding_window_view(centred, length)[::hop]
print(f"frames: {frames.shape}, one every {1000 * hop / rate:g} ms")

# %% [markdown]
# ## 3. A window, and the spectrum
#
# Which frequencies are in a frame? The Fourier transform answers that, but it treats the frame as
# a piece that repeats for ever: a jump from its end to its beginning would look like sound at all
# frequencies. A Hann window therefore fades both ends out. The squared magnitude is the power at
# 129 frequencies, 31 Hz apart; the phase is dropped, because ears hardly notice it.

# %%
window = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)).astype(np.float32)
power = np.abs(scipy.fft.rfft(frames * window, n_fft, axis=1)) ** 2
print(f"power spectra: {power.shape}, every {rate / n_fft:g} Hz up to {rate // 2} Hz")

hz = np.arange(power.shape[1]) * rate / n_fft
abrupt = np.abs(scipy.fft.rfft(frames[FRAME], n_fft)) ** 2
_, (left, right) = plt.subplots(1, 2, num="spectrum", figsize=(7, 2.2), layout="constrained")
left.plot(frames[FRAME], linewidth=0.8, label="frame")
left.plot(frames[FRAME] * window, linewidth=0.8, label="times window")
left.set(xlabel="sample", ylabel="amplitude")
right.plot(hz, 10 * np.log10(abrupt + 1e-9), linewidth=0.8, label="without window")
right.plot(hz, 10 * np.log10(power[FRAME] + 1e-9), linewidth=0.8, label="with window")
right.set(xlabel="frequency / Hz", ylabel="power / dB")
for axes in (left, right):
    axes.legend(fontsize=7)

# %% [markdown]
# ## 4. Mel bands
#
# Ears can easily tell 200 Hz from 300 Hz, but hardly 3,200 Hz from 3,300 Hz. The mel scale spaces
# frequencies as ears do. Each of 40 triangles of equal width on that scale, which are narrow at
# low frequencies and wide at high ones, sums up its part of the spectrum.

# %%
bank = mel_bank(band_edges(params.n_mels, params.fmin, params.fmax), rate, n_fft)
bands = power.astype(np.float32) @ bank
print(f"bank: {bank.shape}, spectra x bank: {bands.shape}")
widths = (bank > 0).sum(axis=0)
print(f"the lowest band takes {widths[0]} of the 129 frequencies, the highest {widths[-1]}")

# %% [markdown]
# ## 5. Level, floor, logarithm
#
# A word stays the same when it is twice as loud. So each power is divided by the mean power of the
# whole word. Ears hear ratios rather than differences, so the logarithm is taken, in decibels.
# What is more than 25 dB below the mean is noise more often than speech. So a floor at that level
# is added before the logarithm, and no value falls below it. Then values are rounded to steps of
# half a decibel, as an int8 will hold them later.
#
# A word has at most 54 frames, or 0.68 s. Of a longer clip, the loudest 54 consecutive frames are
# kept; a shorter clip is centred.

# %%
start = 0
if len(bands) > params.n_frames:
    energy = np.concatenate([[0], np.cumsum(bands.sum(axis=1, dtype=np.float64))])
    start = int(np.argmax(energy[params.n_frames :] - energy[: -params.n_frames]))
word = bands[start : start + params.n_frames]  # here the whole clip: it has 33 frames
floor = 10 ** (-params.floor_db / 10)
decibels = 10 * np.log10(word / word.mean() + floor)
decibels = np.round(decibels / params.step_db) * params.step_db
features = np.full((params.n_frames, params.n_mels), -params.floor_db)
before = (params.n_frames - len(word)) // 2
features[before : before + len(word)] = decibels
print(f"features: {features.shape}, from {features.min():g} to {features.max():g} dB")

_, axes = plt.subplots(1, 3, num="bands", figsize=(7, 2.2), layout="constrained")
for part, picture, title, rows in zip(
    axes,
    (10 * np.log10(power + 1e-6), bands, features),
    ("spectra / dB", "mel bands, power", "features / dB"),
    (f"frequency / {rate / n_fft:g} Hz", "band", "band"),
    strict=True,
):
    part.imshow(picture.T, origin="lower", aspect="auto", cmap="magma", interpolation="nearest")
    part.set_title(title, fontsize=9)
    part.set_xlabel("frame", fontsize=8)
    part.set_ylabel(rows, fontsize=8)

# %% [markdown]
# That is the whole front-end. The library's result must be equal to the last bit in each of the
# 2,160 numbers:

# %%
from_library = extractor_from(card.features)([waveform])[0][0]
print("as in the library:", np.array_equal(features.astype(np.float32), from_library))

# %% [markdown]
# **An aside on MFCC.** Neighbouring bands rise and fall together. A cosine transform along the
# bands turns them into coefficients that are nearly uncorrelated; the first few describe the
# envelope of the spectrum and leave the pitch out. The LSTMs of this project read 13 of them per
# frame, from another front-end. `tiny` reads the bands, because convolutions make use of
# neighbours that are alike.

# %%
cepstra = scipy.fft.dct(features, norm="ortho", axis=1)[:, :13]
print(f"cepstra: {cepstra.shape}, frame {FRAME}:", *np.round(cepstra[FRAME], 1))

# %% [markdown]
# ## 6. Normalisation
#
# A network learns best from numbers around 0 with a size around 1. So the mean of each band over
# the training clips is subtracted, and everything is divided by one standard deviation. Both are
# stored in the model file, so that features are the same in use as in training.

# %% tags=["trained"]
normalised = card.normalise(torch.from_numpy(from_library))
print(
    f"in training: band means from {min(card.mean):.1f} to {max(card.mean):.1f} dB, "
    f"deviation {card.std[0]:.1f} dB"
)
print(f"this word: mean {normalised.mean():+.2f}, deviation {normalised.std():.2f}")

# %% [markdown]
# ## 7. The network, layer by layer
#
# The features are a picture, 40 bands high and 54 frames wide. A convolution slides 32 small
# patterns of 5 x 5 over it, two steps at a time, and notes how well each pattern fits at each
# place. That gives 32 new pictures, or channels, of half the height and width. Each of seven
# blocks then does the same with less work: a *depthwise* convolution looks at 3 x 3 places of one
# channel, and a *pointwise* convolution, 1 x 1, mixes the channels. After each, a ReLU sets
# negative numbers to 0. Pooling keeps the maximum and the mean of each channel: 128 numbers,
# however long the word. A linear layer turns them into ten scores.

# %%
network = load_network(card, tensors)
network.eval()
layers = [("stem", network.stem)]
for number, block in enumerate(network.blocks):
    layers += [
        (f"block {number} depthwise", block.depthwise),
        (f"block {number} pointwise", block.pointwise),
    ]
layers.append(("linear", network.linear))
seen = {}
for name, layer in layers:
    layer.register_forward_hook(
        lambda _, read, made, name=name: seen.update({name: (read[0], made)})
    )
with torch.inference_mode():
    logits = network(normalised[None], torch.tensor([params.n_frames]))[0].numpy()

print(f"{'layer':20}{'reads':>14}{'gives':>14}{'weights':>9}   channels x bands x frames")
for name, layer in layers:
    read, made = (" x ".join(map(str, tensor.shape[1:])) for tensor in seen[name])
    weights = sum(p.numel() for p in layer.parameters() if p.dim() > 1)
    print(f"{name:20}{read:>14}{made:>14}{weights:>9,}")
print(f"{network.multiply_accumulates():,} multiplications for one word")

# %% [markdown]
# This is what the network sees on the way from sound to word: eight channels of the stem (the
# first convolution), of a middle block and of the last one. At first the word is still visible,
# with its edges and stripes; at the end a channel shows little more than whether a pattern was
# found, and roughly when.

# %% tags=["trained"]
stages = ("stem", "block 2 pointwise", "block 6 pointwise")
_, axes = plt.subplots(3, 8, num="channels", figsize=(7, 3), layout="constrained")
for row, name in zip(axes, stages, strict=True):
    maps = seen[name][1][0].numpy()
    loudest = np.sort(np.argsort(-maps.max(axis=(1, 2)), kind="stable")[:8])
    for panel, channel in zip(row, loudest, strict=True):
        panel.imshow(
            maps[channel], origin="lower", aspect="auto", cmap="magma", interpolation="nearest"
        )
        panel.set(xticks=[], yticks=[])
    row[0].set_ylabel(name.replace(" pointwise", ""), fontsize=8)

# %% [markdown]
# ## 8. Logits, softmax, word
#
# The ten scores are called logits. Their exponentials, divided by the sum of the exponentials, are
# positive and add up to 1: that is the softmax, and the word with the largest one is the answer.
# It reads like a probability, but a sound that is none of the ten words gets one as well: see
# [../rejection.md](../rejection.md).

# %% tags=["trained"]
chances = np.exp(logits - logits.max())
chances /= chances.sum()
for i in np.argsort(-logits, kind="stable")[:4]:
    print(f"{WORDS[int(card.labels[i])]:6} logit {logits[i]:6.2f}   {100 * chances[i]:5.1f} %")

# %% [markdown]
# ## 9. The same in integers: the front-end
#
# A small microcontroller has no floating-point unit, and it has little more than a byte to spare
# for each weight. So everything is done again in integers. The window, the Fourier transform and
# the mel triangles are tables of integers, and the logarithm is a table with linear interpolation
# between its entries. The mean of each frame is removed instead of that of the clip, which is not
# known until the clip has ended. The features come out as int8, in steps of half a decibel.

# %%
fixed_point = extractor_of(card)
counts = fixed_point([waveform])[0][0]  # int8
print(f"features: {counts.shape} {counts.dtype}, from {counts.min()} to {counts.max()}")
difference = counts - np.round(features / params.step_db).astype(int)
for size in range(int(np.abs(difference).max()) + 1):
    n = int((np.abs(difference) == size).sum())
    print(f"off by {size} step(s) of {params.step_db:g} dB: {n:5,} of {difference.size:,}")

# %% [markdown]
# ## 10. The same in integers: the network
#
# A weight is a byte, from -127 to 127, and stands for `weight / 2**shift`. Products are summed in
# 32 bits; the sum is shifted right, rounded, and clipped to 0 to 255. That is one number of the
# next layer. Here it is done by hand, for the largest number that the first block gives. Batch
# normalisation, which is a gain and an offset per channel, is already included in the weights, and
# so are the scales of both layers.

# %% tags=["trained"]
results = integers.run(counts[None])  # of every node, (1, frames, bands, channels)
node = integers.nodes[3]  # block 0, pointwise
made = results[3][0]
frame, band, channel = np.unravel_index(made.argmax(), made.shape)
reads = results[node.inputs[0]][0, frame, band]  # (32,)
rows = node.operator.rows
weight, bias, shift = (part[channel] for part in (rows.weight, rows.bias, rows.shift))
accumulator = int(reads @ weight.astype(np.int32)) + int(bias)
result = int(np.clip(round_shift(np.array([accumulator]), int(shift)), 0, 255)[0])
print(f"frame {frame}, band {band}, channel {channel}")
print("reads  ", *(f"{x:4}" for x in reads[:12]), " ...")
print("weights", *(f"{x:4}" for x in weight[:12]), " ...")
print(f"sum + bias = {accumulator:,}; shifted by {shift} and held to 0 to 255: {result}")
print("as in the library:", result == made[frame, band, channel])

# %% [markdown]
# Where do the numbers differ from those in float, and by how much? Both networks get the same int8
# features. After each layer, the rounding error is compared with the numbers themselves: at 20 dB
# it is a tenth of them, at 40 dB a hundredth. Each layer adds some error; pooling, which averages
# many numbers, removes some.

# %% tags=["trained"]
real = float_graph(card, tensors).run(counts[None])
print(f"{'node':16}{'frames x bands x channels':>27}{'largest':>11}{'signal to rounding':>20}")
for number, (node, whole, exact) in enumerate(zip(integers.nodes, results, real, strict=True)):
    scale = (whole * exact).sum() / (exact**2).sum()  # integers a unit
    noise = ((whole / scale - exact) ** 2).sum()
    ratio = 10 * np.log10((exact**2).sum() / noise)
    shape = " x ".join(map(str, whole.shape[1:]))
    print(
        f"{number:2} {node.operator.kind:13}{shape:>27}{np.abs(whole).max():>11,}{ratio:>17.1f} dB"
    )

# %% [markdown]
# The last node gives logits as integers. The value of one step is known, but is not needed to find
# the largest.

# %% tags=["trained"]
whole_logits = integers.logits(counts[None])[0]
for name, values in (("float32", logits), ("int8", whole_logits * integers.logit_step)):
    print(f"{name:8}", *(f"{value:6.2f}" for value in values))
heard = int(graph.predict(whole_logits[None])[0])
print(f"in integers {WORDS[int(card.labels[heard])]}, logit {whole_logits[heard]:,} steps")

_, axes = plt.subplots(num="logits", figsize=(7, 2))
axes.bar(np.arange(10) - 0.2, logits, 0.4, label="float32")
axes.bar(np.arange(10) + 0.2, whole_logits * integers.logit_step, 0.4, label="int8")
axes.set(xticks=range(10), xticklabels=[WORDS[int(label)] for label in card.labels], ylabel="logit")
axes.legend(fontsize=8)

# %% [markdown]
# ## 11. What it costs
#
# Weights take flash; multiplications take time and energy. A convolution uses each weight at every
# place of its picture, so the small stem costs much time and few bytes. Most of both goes into the
# pointwise convolutions, so start there to make the network faster or smaller.

# %% tags=["trained"]
shapes, n_frames = integers.shapes(), integers.frame_counts()
costs = {}
for node in integers.nodes:
    kind, source = node.operator.kind, node.inputs[0]
    read = [graph.Shape(integers.n_inputs, 1) if i < 0 else shapes[i] for i in node.inputs]
    macs = node.operator.multiply_accumulates(
        read, integers.n_frames if source < 0 else n_frames[source]
    )
    if kind == "convolution":
        kind = "stem" if node.operator.window.size > 1 else "pointwise"
    old = costs.get(kind, (0, 0))
    costs[kind] = (old[0] + node.operator.n_bytes(), old[1] + macs)
for kind, (n_bytes, macs) in costs.items():
    print(f"{kind:12}{n_bytes:>8,} bytes{macs:>11,} multiplications")
total_bytes, total_macs = (sum(column) for column in zip(*costs.values(), strict=True))
print(f"{'together':12}{total_bytes:>8,} bytes{total_macs:>11,} multiplications")

_, axes = plt.subplots(num="cost", figsize=(7, 1.9))
for offset, (title, column, total) in enumerate(
    (("bytes", 0, total_bytes), ("multiplications", 1, total_macs))
):
    shares = [100 * cost[column] / total for cost in costs.values()]
    axes.barh(np.arange(len(costs)) - 0.2 + 0.4 * offset, shares, 0.4, label=title)
axes.set(yticks=range(len(costs)), yticklabels=list(costs), xlabel="share / %")
axes.invert_yaxis()
axes.legend(fontsize=8)

# %% [markdown]
# ## 12. On a microcontroller
#
# `spoken-digits export tiny` writes the network and the front-end as C, whose logits equal those
# above bit for bit. It computes frame by frame and keeps only those frames of each picture that
# the next layer still needs. These are the figures recorded by stage `measure`, from the first
# sample of the longest test clip to its word, in an emulator that counts instructions, not cycles:

# %%
measured = json.loads((TOP / "metrics/cortex_m/tiny.int8.json").read_text())
print(f"flash {measured['recogniser_flash_bytes']:,} bytes, code and tables included")
print(f"RAM   {measured['recogniser_ram_bytes']:,} bytes, and {measured['stack_bytes']:,} of stack")
for board in ("m0", "m3", "m4"):
    if f"recogniser_instructions_{board}" in measured:
        n = measured[f"recogniser_instructions_{board}"]
        print(
            f"Cortex-{board.upper()}: {n:,} instructions, at one a cycle {n / 64e6:.2f} s at 64 MHz"
        )

# %% [markdown]
# ## Where to go next
#
# - Change something: every number above is in `params.yaml` ([../parameters.md](../parameters.md));
#   other bands or channels are one `dvc exp run` away.
# - Record words of your own: [../own-words.md](../own-words.md).
# - One recording says nothing about the next: [../results.md](../results.md) has thousands,
#   including voices never heard. [../unseen-voices.md](../unseen-voices.md) says how the network
#   learned to understand those.
# - Every operator, and why it cannot overflow: [../integer_operators.md](../integer_operators.md),
#   [../integer_frontend.md](../integer_frontend.md). Terms: [../glossary.md](../glossary.md).
