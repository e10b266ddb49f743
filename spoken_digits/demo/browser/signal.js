// What is wrong with the sound itself: no numbers, clipping, a constant offset, nothing at all.

const CLIPPED = 0.999; // of full scale
const MOST_CLIPPED = 0.001; // of the samples of a second
const MOST_OFFSET = 0.05; // of full scale
const SILENT_S = 3;

class SignalWatch {
  // A recording may be silent between words.
  constructor(rate, isLive = true) {
    this.rate = rate;
    this.isLive = isLive;
    this.hasSounded = false;
    this.silent = 0; // samples of exactly zero in a row
    this.sawNoNumber = false;
    this.reset();
  }

  reset() {
    this.n = this.clipped = this.sum = 0;
    this.warning = this.warning ?? "";
  }

  // Take the next samples, and set to 0 what is no number. Returns a warning, or "".
  check(samples) {
    for (let i = 0; i < samples.length; i++) {
      if (!Number.isFinite(samples[i])) {
        samples[i] = 0;
        this.sawNoNumber = true;
      }
      const sample = samples[i];
      this.silent = sample === 0 ? this.silent + 1 : 0;
      if (sample !== 0) this.hasSounded = true;
      if (Math.abs(sample) >= CLIPPED) this.clipped++;
      this.sum += sample;
    }
    this.n += samples.length;
    if (this.n >= this.rate) {
      this.warning = this.judge();
      this.reset();
    }
    return this.warning;
  }

  // About the last second.
  judge() {
    if (this.sawNoNumber) {
      this.sawNoNumber = false;
      return "The sound holds values that are no numbers (NaN or infinity): they are heard as silence.";
    }
    if (this.isLive && this.silent >= SILENT_S * this.rate) {
      return "There is nothing but digital silence: is the microphone muted?";
    }
    if (this.clipped > MOST_CLIPPED * this.n) {
      return "The sound is clipped: lower the input level, or move away from the microphone.";
    }
    if (Math.abs(this.sum) > MOST_OFFSET * this.n) {
      return `The sound has a constant offset of ${Math.round(100 * this.sum / this.n)} % of full scale: the sound card or cable may be at fault. The detector ignores it.`;
    }
    return "";
  }
}
