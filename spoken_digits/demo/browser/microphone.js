// The microphone: samples as the browser gives them, and one clear line for what can go wrong.

const PATIENCE_MS = 3000;

class MicrophoneError extends Error {}

const REFUSED = {
  NotAllowedError: "The microphone was refused. Allow it for this page in the address bar, then press Start again; or choose a recording.",
  SecurityError: "This browser keeps pages of this kind from the microphone. Open the page with `spoken-digits demo`, or choose a recording.",
  NotFoundError: "There is no microphone. Plug one in, then press Start again; or choose a recording.",
  NotReadableError: "The microphone is used by another program. Close that, then press Start again.",
  OverconstrainedError: "This microphone cannot be used. Choose another one in the browser's settings.",
};

// Why this browser cannot record here; empty if it can.
function whyNoMicrophone() {
  if (!navigator.mediaDevices?.getUserMedia) {
    return "This browser gives no microphone to a page opened like this. Open it with `spoken-digits demo` on localhost, or choose a recording.";
  }
  if (typeof AudioContext === "undefined") {
    return "This browser has no Web Audio, which the microphone needs. Use a current Firefox, Chrome, Edge or Safari, or choose a recording.";
  }
  return "";
}

class Microphone {
  // Start; `onSamples(Float32Array)` gets the sound, `onLost(text)` is called once if it stops.
  static async open(code, onSamples, onLost) {
    const reason = whyNoMicrophone();
    if (reason) throw new MicrophoneError(reason);
    const microphone = new Microphone(onSamples, onLost);
    try {
      await microphone.start(code);
    } catch (error) {
      microphone.close();
      throw error instanceof MicrophoneError ? error : new MicrophoneError(
        REFUSED[error.name] ?? `The microphone cannot be used (${error.message}). Choose a recording instead.`);
    }
    return microphone;
  }

  constructor(onSamples, onLost) {
    this.onSamples = onSamples;
    this.onLost = onLost;
  }

  async start(code) {
    // What a browser does to voices for telephony is not what the model was trained on.
    const wanted = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    this.context = new AudioContext();
    this.rate = this.context.sampleRate;
    const node = await this.worklet(code).catch(() => this.processor());
    this.context.createMediaStreamSource(this.stream).connect(node);
    node.connect(this.context.destination); // silent, but without it nothing flows
    await this.context.resume();
    const [track] = this.stream.getAudioTracks();
    this.label = track.label;
    track.onended = () => this.lose("The microphone was unplugged or switched off. Plug it in, then press Start again.");
    this.last = performance.now();
    this.watch = setInterval(() => this.check(), 1000);
  }

  // On the audio thread, so that a busy page loses nothing.
  async worklet(code) {
    const address = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
    try {
      await this.context.audioWorklet.addModule(address);
    } finally {
      URL.revokeObjectURL(address);
    }
    const node = new AudioWorkletNode(this.context, "recorder", { channelCountMode: "max" });
    node.port.onmessage = ({ data }) => this.take(data);
    return node;
  }

  // Where there is no AudioWorklet, or none for a page that is a file: the older way.
  processor() {
    if (!this.context.createScriptProcessor) {
      throw new MicrophoneError("This browser has no AudioWorklet, which the microphone needs. Open the page with `spoken-digits demo` in a current Firefox, Chrome, Edge or Safari, or choose a recording.");
    }
    const node = this.context.createScriptProcessor(2048, 1, 1);
    node.onaudioprocess = ({ inputBuffer }) => this.take(inputBuffer.getChannelData(0).slice());
    return node;
  }

  take(samples) {
    this.last = performance.now();
    this.onSamples(samples);
  }

  check() {
    if (document.hidden || performance.now() - this.last < PATIENCE_MS) return;
    this.lose(`The microphone has given nothing for ${PATIENCE_MS / 1000} s. Is it still plugged in? Press Start to try again.`);
  }

  lose(text) {
    this.close();
    this.onLost(text);
  }

  close() {
    clearInterval(this.watch);
    for (const track of this.stream?.getTracks() ?? []) {
      track.onended = null;
      track.stop();
    }
    if (this.context && this.context.state !== "closed") this.context.close();
  }
}
