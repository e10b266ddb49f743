// The last seconds as a picture: waveform, mel bands, and the sounds that were found.

const SIGHT_S = 6;
const SHADES = 64;
const SPAN = 14; // octaves of power from the faintest shade to the strongest: 42 dB
const LEAST_OCTAVES = 14; // of the strongest one

class Picture {
  constructor(canvas) {
    this.canvas = canvas;
    this.strip = document.createElement("canvas"); // one pixel a band and hop
    this.isDue = false;
    const prefers = (what) => matchMedia(`(prefers-${what})`);
    this.reducedMotion = prefers("reduced-motion: reduce");
    prefers("color-scheme: dark").addEventListener("change", () => this.draw());
    addEventListener("resize", () => this.draw());
  }

  // Show a model's sound from now on.
  clear(model) {
    this.hop = model.hop_length;
    this.rate = model.sample_rate;
    this.nBands = model.n_mels;
    this.columns = Math.round(SIGHT_S * this.rate / this.hop); // of one hop each
    this.waves = []; // [lowest, highest] of each hop
    this.bands = []; // from hop `firstBand` on
    this.firstBand = 0;
    this.hopsGone = 0; // columns that have left on the left
    this.partial = { n: 0, low: 0, high: 0 };
    this.sounds = [];
    this.draw();
  }

  // Bands come only for what will be in sight; the next ones begin at this sample.
  bandsFrom(sample) {
    this.firstBand = Math.round(sample / this.hop);
    this.bands = [];
  }

  add(samples, bands) {
    const { partial } = this;
    for (const sample of samples) {
      partial.low = Math.min(partial.low, sample);
      partial.high = Math.max(partial.high, sample);
      if (++partial.n === this.hop) {
        this.waves.push([partial.low, partial.high]);
        Object.assign(partial, { n: 0, low: 0, high: 0 });
      }
    }
    this.bands.push(...bands);
    this.scroll();
    this.later();
  }

  scroll() {
    const excess = this.waves.length - this.columns;
    if (excess <= 0) return;
    this.waves.splice(0, excess);
    this.hopsGone += excess;
    const old = Math.min(this.bands.length, Math.max(0, this.hopsGone - this.firstBand));
    this.bands.splice(0, old);
    this.firstBand += old;
    this.sounds = this.sounds.filter((sound) => sound.end / this.hop > this.hopsGone);
  }

  mark(event, text) {
    this.sounds.push({ start: event.start, end: event.end, isWord: event.verdict === WORD, text });
    this.later();
  }

  // Once a frame of the screen; twice a second for those who want less motion.
  later() {
    if (this.isDue) return;
    this.isDue = true;
    const draw = () => {
      this.isDue = false;
      this.draw();
    };
    if (this.reducedMotion.matches) setTimeout(draw, 500);
    else requestAnimationFrame(draw);
  }

  draw() {
    const { canvas } = this, ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth, height = canvas.clientHeight;
    if (width === 0 || !this.waves) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const top = 22, middle = Math.round(height * 0.48);
    this.drawSounds(context, width, top, height, colour);
    this.drawWave(context, width, top, middle - 6, colour);
    this.drawBands(context, width, middle, height, colour);
  }

  drawSounds(context, width, top, height, colour) {
    const x = (sample) => (sample / this.hop - this.hopsGone) * width / this.columns;
    context.font = `600 14px ${getComputedStyle(this.canvas).fontFamily}`;
    for (const { start, end, isWord, text } of this.sounds) {
      context.fillStyle = colour(isWord ? "tint" : "grid");
      context.fillRect(x(start), 0, x(end) - x(start), height);
      context.fillStyle = colour(isWord ? "ink" : "muted");
      if (isWord) context.fillText(text, Math.max(2, x(start) + 4), top - 6);
    }
  }

  drawWave(context, width, top, bottom, colour) {
    const step = width / this.columns, middle = (top + bottom) / 2;
    const most = Math.max(500, ...this.waves.map(([low, high]) => Math.max(-low, high)));
    const scale = (bottom - top) / 2 / most;
    context.fillStyle = colour("rule");
    context.fillRect(0, middle, width, 1);
    context.fillStyle = colour("accent");
    this.waves.forEach(([low, high], i) => {
      const up = Math.max(0.5, high * scale), down = Math.max(0.5, -low * scale);
      context.fillRect(i * step, middle - up, Math.max(1, step - 0.5), up + down);
    });
  }

  drawBands(context, width, top, bottom, colour) {
    const shades = this.shades(colour);
    const { strip } = this;
    strip.width = this.columns;
    strip.height = this.nBands;
    const pencil = strip.getContext("2d");
    const image = pencil.createImageData(this.columns, this.nBands);
    const most = this.bands.reduce((most, column) => Math.max(most, ...column), LEAST_OCTAVES);
    this.bands.forEach((column, i) => {
      const x = this.firstBand + i - this.hopsGone;
      if (x < 0 || x >= this.columns) return;
      column.forEach((octaves, band) => {
        const share = Math.max(0, 1 - (most - octaves) / SPAN);
        const shade = shades[Math.min(SHADES - 1, Math.floor(share * SHADES))];
        image.data.set(shade, 4 * ((this.nBands - 1 - band) * this.columns + x));
      });
    });
    pencil.putImageData(image, 0, 0);
    context.imageSmoothingEnabled = false;
    context.drawImage(strip, 0, top, width, bottom - top);
  }

  // From clear through the accent colour to ink: RGBA each.
  shades(colour) {
    const rgb = (name) => [1, 3, 5].map((i) => parseInt(colour(name).slice(i, i + 2), 16));
    const [accent, ink] = [rgb("accent"), rgb("ink")];
    return Array.from({ length: SHADES }, (_, i) => {
      const share = i / (SHADES - 1), towardsInk = Math.max(0, 2 * share - 1);
      const mixed = accent.map((a, c) => Math.round(a + (ink[c] - a) * towardsInk));
      return [...mixed, Math.round(255 * Math.min(1, 2 * share))];
    });
  }
}
