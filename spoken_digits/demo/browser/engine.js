// One detector, or one sliding window: the WebAssembly module of a model, as
// firmware/web/detector_web.h describes it.

const VERDICTS = ["", "word", "too short", "too long", "not one of the words",
  "not confident enough", "too soon after a word"];
const WORD = 1, TOO_SHORT = 2, TOO_LONG = 3;
const CERTAIN = 10000;
const ENDPOINTS = 0, WINDOWS = 1; // how to listen
const EVENT_FIELDS = ["verdict", "word", "confidence", "start", "end", "decided"];
const DB_PER_OCTAVE = 10 * Math.log10(2);
const CLOCK_MS = 1; // a browser's clock steps by up to 0.1 ms: repeat for longer than that
const TRIALS = 4; // the fastest counts: what else the machine does is not the model's work
const WARM_UPS = 10; // before the first word, so that the browser compiles for speed

class Engine {
  // Compile a model of the page's data; rejects if the browser cannot.
  static async open(model) {
    const bytes = Uint8Array.from(atob(model.module), (c) => c.charCodeAt(0));
    const { instance } = await WebAssembly.instantiate(bytes, {});
    const engine = new Engine(model, instance.exports);
    for (let i = 0; i < WARM_UPS; i++) instance.exports.sd_web_repeat(model.sample_rate / 2);
    return engine;
  }

  constructor(model, functions) {
    this.model = model;
    this.functions = functions;
    this.room = functions.sd_web_room();
    this.samples = new Int16Array(functions.memory.buffer, functions.sd_web_samples(), this.room);
    this.recent = new Int16Array(this.room); // the last samples, sample i at i % room
    this.restart();
  }

  restart(how = ENDPOINTS) {
    const status = this.functions.sd_web_listen(how);
    if (status !== 0) throw new Error(`the model ${this.model.name} does not fit this page (${status})`);
    this.how = how;
    this.heard = 0; // samples so far
  }

  // Take the next samples, any number of them; return the events that they decide, in order.
  hear(block) {
    const events = [];
    for (let done = 0; done < block.length;) {
      const part = block.subarray(done, done + this.room);
      this.samples.set(part);
      const taken = this.functions.sd_web_hear(0, part.length);
      if (taken < 0) throw new Error(`the detector stopped with status ${-taken}`);
      this.remember(part.subarray(0, taken));
      done += taken;
      const event = this.event();
      if (event) events.push(event);
    }
    return events;
  }

  remember(part) {
    const at = this.heard % this.room;
    const first = part.subarray(0, this.room - at);
    this.recent.set(first, at);
    this.recent.set(part.subarray(first.length), 0);
    this.heard += part.length;
  }

  // The event of the last call, or null; that of a word with the logits and the time it takes.
  event() {
    const { functions } = this;
    const row = new BigInt64Array(functions.memory.buffer, functions.sd_web_heard(), EVENT_FIELDS.length);
    if (row[0] === 0n) return null;
    const event = Object.fromEntries(EVENT_FIELDS.map((name, i) => [name, Number(row[i])]));
    if (event.word >= 0) {
      const at = functions.sd_web_logits();
      event.logits = Array.from(new Int32Array(functions.memory.buffer, at, this.model.labels.length));
      const isWhole = this.how === WINDOWS; // a window's word was recognised in all of it
      const from = isWhole ? event.decided - this.model.sliding.window : event.start;
      event.microseconds = this.microseconds(from, isWhole ? event.decided : event.end);
    }
    return event;
  }

  // Time to recognise samples `start` to `end` once more, from the first sample to the word; null
  // if they are no longer there.
  microseconds(start, end) {
    const n = end - start;
    if (n > this.room || this.heard - start > this.room) return null;
    for (let i = 0; i < n; i++) this.samples[i] = this.recent[(start + i) % this.room];
    const time = (repeats) => {
      const began = performance.now();
      for (let i = 0; i < repeats; i++) this.functions.sd_web_repeat(n);
      return performance.now() - began;
    };
    for (let repeats = 1; ; repeats *= 2) {
      const fastest = Math.min(...Array.from({ length: TRIALS }, () => time(repeats)));
      if (fastest >= CLOCK_MS) return 1000 * fastest / repeats;
    }
  }

  // Probability of each class, as the detector's confidence is that of the first of them.
  probabilities(logits) {
    const { scale, scale_shift: shift } = this.model.detector;
    const most = Math.max(...logits);
    const shares = logits.map((logit) => 2 ** -((most - logit) * scale / 2 ** shift / 256));
    const total = shares.reduce((sum, share) => sum + share, 0);
    return shares.map((share) => share / total);
  }

  // Mel bands of the windows that the samples fill, for a picture: octaves above each band's floor.
  bands(block) {
    const { functions } = this, columns = [];
    for (let done = 0; done < block.length;) {
      const part = block.subarray(done, done + this.room);
      this.samples.set(part);
      const taken = functions.sd_web_look(0, part.length);
      done += taken;
      const at = functions.sd_web_bands();
      if (at === 0) continue;
      const logs = new Int16Array(functions.memory.buffer, at, this.model.n_mels);
      columns.push(Float32Array.from(logs, (log) => log / 256));
    }
    return columns;
  }

  // Bytes that detector and recogniser keep, as many as on a 32-bit microcontroller.
  get ramBytes() {
    return this.functions.sd_web_ram();
  }

  get isHearing() {
    return this.how === ENDPOINTS && this.functions.sd_web_state() === 1;
  }

  // Least confidence of a word.
  get threshold() {
    return (this.how === WINDOWS ? this.model.sliding : this.model.detector).threshold;
  }

  // Samples of quiet that end the last word.
  get settling() {
    if (this.how === WINDOWS) {
      const { window, step, n_smoothed: nSmoothed } = this.model.sliding;
      return window + nSmoothed * step;
    }
    const { hangover, frame_length: length } = this.model.detector;
    return (hangover + 1) * length;
  }

  // The noise floor, in dB below a full-scale square wave; null for a window, which has none.
  get floorDb() {
    if (this.how === WINDOWS) return null;
    const full = 30 + 2 * Math.log2(this.model.detector.frame_length);
    return (this.functions.sd_web_floor() / 4096 - full) * DB_PER_OCTAVE;
  }
}
