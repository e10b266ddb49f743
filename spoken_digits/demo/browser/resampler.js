// Samples at the rate of a microphone or a file -> int16 samples at the rate of the model.
//
// Every browser computes the same: additions and products of doubles in a fixed order, no
// Math.sin, and blocks of any size give the same samples.

const FULL_SCALE = 32768;
const HALF_WIDTH = 24; // samples of the slower rate on each side of the filter's middle
const CUTOFF = 0.975; // of half the slower rate: flat to 0.86, nothing from 1.09 on
const MOST_STEPS = 4096; // of the faster rate: bounds the table

// sin(pi x) by Taylor's series, |x| <= 1/2 after reduction; error below 1e-15.
function sinPi(x) {
  const turns = Math.floor(x + 0.5);
  const t = (x - turns) * 3.141592653589793;
  let term = t, sum = t;
  for (let k = 1; k <= 10; k++) {
    term *= -t * t / (2 * k * (2 * k + 1));
    sum += term;
  }
  return turns % 2 === 0 ? sum : -sum;
}

const cosPi = (x) => sinPi(x + 0.5);

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

// A number to int16: the nearest, the even one of two, within range. As NumPy rounds.
function toInt16(value) {
  let nearest = Math.round(value);
  if (nearest - value === 0.5 && nearest % 2 !== 0) nearest -= 1;
  return Math.max(-FULL_SCALE, Math.min(FULL_SCALE - 1, nearest));
}

class RateError extends Error {}

class Resampler {
  // Rates in Hz; throws a RateError for one that has too little in common with the model's.
  constructor(givenRate, rate) {
    const divisor = greatestCommonDivisor(givenRate, rate);
    this.up = rate / divisor;
    this.down = givenRate / divisor;
    if (!(Math.max(this.up, this.down) <= MOST_STEPS)) {
      throw new RateError(`has a sample rate of ${givenRate} Hz, which cannot be brought to ${rate} Hz: use 8,000, 16,000, 44,100 or 48,000 Hz.`);
    }
    this.half = Math.ceil(HALF_WIDTH * Math.max(1, givenRate / rate));
    this.filters = this.up === this.down ? null : this.makeFilters(Math.min(1, rate / givenRate));
    this.pending = []; // input from number `first` on, as numbers of full scale
    this.first = -this.half;
    this.given = 0;
    this.made = 0;
  }

  // One filter a phase, each of sum 1: a constant stays what it is.
  makeFilters(ratio) {
    const filters = [];
    for (let phase = 0; phase < this.up; phase++) {
      const taps = new Float64Array(2 * this.half);
      let sum = 0;
      for (let i = 0; i < taps.length; i++) {
        const t = (i - this.half + 1 - phase / this.up) * ratio; // samples of the slower rate
        taps[i] = this.tap(t);
        sum += taps[i];
      }
      filters.push(taps.map((tap) => tap / sum));
    }
    return filters;
  }

  // Blackman's window over the impulse response of a low-pass.
  tap(t) {
    const x = t / HALF_WIDTH;
    if (x <= -1 || x >= 1) return 0;
    const window = 0.42 + 0.5 * cosPi(x) + 0.08 * cosPi(2 * x);
    const angle = 3.141592653589793 * CUTOFF * t;
    return window * (t === 0 ? 1 : sinPi(CUTOFF * t) / angle);
  }

  // The next samples, in [-1, 1) -> Int16Array of those that are known by now.
  push(samples) {
    if (!this.filters) return Int16Array.from(samples, (x) => toInt16(x * FULL_SCALE));
    if (this.given === 0 && samples.length > 0) this.extend(samples[0], this.half);
    for (const sample of samples) this.pending.push(sample);
    this.given += samples.length;
    return this.filter(Math.ceil(this.given * this.up / this.down));
  }

  // What is left at the end of a file, as if its last sample went on.
  end() {
    if (!this.filters || this.given === 0) return new Int16Array(0);
    this.extend(this.pending[this.pending.length - 1], this.half + 1);
    return this.filter(Math.ceil(this.given * this.up / this.down));
  }

  extend(sample, n) {
    for (let i = 0; i < n; i++) this.pending.push(sample);
  }

  // Output up to number `goal`, as far as the input reaches.
  filter(goal) {
    const made = [];
    for (; this.made < goal; this.made++) {
      const middle = Math.floor(this.made * this.down / this.up);
      const start = middle - this.half + 1 - this.first;
      if (start + 2 * this.half > this.pending.length) break;
      const taps = this.filters[this.made * this.down % this.up];
      let sum = 0;
      for (let i = 0; i < taps.length; i++) sum += taps[i] * this.pending[start + i];
      made.push(toInt16(sum * FULL_SCALE));
    }
    this.forget();
    return Int16Array.from(made);
  }

  forget() {
    const needed = Math.floor(this.made * this.down / this.up) - this.half + 1;
    if (needed - this.first > 4096) {
      this.pending.splice(0, needed - this.first);
      this.first = needed;
    }
  }
}
