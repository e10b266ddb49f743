// WAV files: 8 to 32-bit integers and floats, any number of channels.
//
// Reference: Microsoft and IBM, Multimedia Programming Interface and Data Specifications 1.0, 1991.

const PCM = 1, FLOAT = 3, EXTENSIBLE = 0xfffe;
const LEAST_RATE = 1000, GREATEST_RATE = 768000, MOST_CHANNELS = 64;
const CONVERT = "convert it with `ffmpeg -i FILE -ac 1 -ar 8000 new.wav`";

class WavError extends Error {}

// ArrayBuffer -> { rate, nChannels, nFrames, note, read(first, n) }, where read gives the mean of
// the channels as Float64Array in [-1, 1).
function readWav(buffer) {
  const view = new DataView(buffer);
  const name = (at) => String.fromCharCode(...new Uint8Array(buffer, at, 4));
  if (buffer.byteLength < 12 || name(0) !== "RIFF" || name(8) !== "WAVE") {
    throw new WavError(`is no WAV file: ${CONVERT}`);
  }
  let format = null;
  for (let at = 12; at + 8 <= buffer.byteLength;) {
    const size = view.getUint32(at + 4, true), start = at + 8;
    if (name(at) === "data") {
      if (!format) break;
      return sound(view, format, start, size);
    }
    if (name(at) === "fmt " && size >= 16 && start + size <= buffer.byteLength) {
      format = formatAt(view, start, size);
    }
    at = start + size + size % 2;
  }
  throw new WavError(`is a damaged WAV file, without ${format ? "samples" : "a format"}: ${CONVERT}`);
}

function formatAt(view, at, size) {
  const tag = view.getUint16(at, true);
  const format = {
    tag: tag === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : tag,
    nChannels: view.getUint16(at + 2, true),
    rate: view.getUint32(at + 4, true),
    bits: view.getUint16(at + 14, true),
  };
  const { rate, nChannels } = format;
  if (!(rate >= LEAST_RATE && rate <= GREATEST_RATE && nChannels >= 1 && nChannels <= MOST_CHANNELS)) {
    throw new WavError(`says it has ${nChannels} channels at ${rate} Hz: ${CONVERT}`);
  }
  return format;
}

function sound(view, format, start, size) {
  const { rate, nChannels, bits } = format;
  const sample = reader(view, format);
  const there = view.byteLength - start;
  // Recorders write the length when they close the file; until then it is 0, or beyond any file.
  const isWhole = size > 0 && size <= there;
  const frameBytes = nChannels * bits / 8;
  const nFrames = Math.floor((isWhole ? size : there) / frameBytes);
  if (nFrames === 0) throw new WavError("holds no samples: record it again");
  function read(first, n) {
    const mean = new Float64Array(Math.min(n, nFrames - first));
    for (let i = 0; i < mean.length; i++) {
      let sum = 0;
      for (let c = 0; c < nChannels; c++) sum += sample(start + (first + i) * frameBytes + c * bits / 8);
      mean[i] = sum / nChannels;
    }
    return mean;
  }
  const note = isWhole ? "" : "it was cut short, or never closed: read to its end";
  return { rate, nChannels, nFrames, note, read };
}

// Position -> sample in [-1, 1).
function reader(view, { tag, bits }) {
  const readers = {
    [`${PCM} 8`]: (at) => (view.getUint8(at) - 128) / 128,
    [`${PCM} 16`]: (at) => view.getInt16(at, true) / 2 ** 15,
    [`${PCM} 24`]: (at) => (view.getInt8(at + 2) * 65536 + view.getUint16(at, true)) / 2 ** 23,
    [`${PCM} 32`]: (at) => view.getInt32(at, true) / 2 ** 31,
    [`${FLOAT} 32`]: (at) => view.getFloat32(at, true),
    [`${FLOAT} 64`]: (at) => view.getFloat64(at, true),
  };
  const found = readers[`${tag} ${bits}`];
  if (!found) throw new WavError(`holds samples of format ${tag} with ${bits} bits: ${CONVERT}`);
  return found;
}
