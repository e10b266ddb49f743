// Puts the parts together: sources of sound, the engine, what is shown.

const CHUNK_S = 5; // of a recording at a time, so that the page stays usable
const PAGE = JSON.parse(at("data").textContent);
const picture = new Picture(at("picture"));
const state = { engine: null, microphone: null, ticket: 0, nWords: 0 };

const say = (text) => { at("state").textContent = text; };

// Compile a model and make it the one that listens.
async function choose(name) {
  stop();
  banner("");
  const model = PAGE.models.find((one) => one.name === name);
  const buttons = [at("start"), at("test"), at("file")];
  for (const button of buttons) button.disabled = true;
  try {
    state.engine = await Engine.open(model);
  } catch (error) {
    banner(`This browser cannot run ${name} (${error.message}). Use a current Firefox, Chrome, Edge or Safari.`);
    return;
  }
  for (const button of buttons) button.disabled = false;
  at("ways").hidden = !model.sliding;
  at("how").value = ENDPOINTS;
  begin();
  say("Press Start and say one of the words, or drop a WAV file anywhere on the page.");
}

// From sample 0, for a new source.
function begin() {
  const how = Number(at("how").value);
  state.engine.restart(how);
  at("everything").disabled = how === WINDOWS; // which reports words alone
  showFacts(state.engine);
  state.nWords = 0;
  picture.clear(state.engine.model);
  listClasses(state.engine.model);
  clearList();
}

// The next samples at the model's rate. `isShown`: whether the picture will still hold them.
function hear(samples, isShown = true) {
  const { engine } = state;
  for (const event of engine.hear(samples)) {
    show(event);
    document.dispatchEvent(new CustomEvent("heard", { detail: event }));
  }
  picture.add(samples, isShown ? engine.bands(samples) : []);
  if (samples.length > 0) showLevel(engine, samples);
}

function show(event) {
  const { model } = state.engine, isWord = event.verdict === WORD;
  const label = model.labels[event.word];
  picture.mark(event, isWord ? named(model, label) : "");
  addRow(model, event);
  if (event.logits) showProbabilities(state.engine.probabilities(event.logits));
  if (isWord) {
    showAnswer(model, event);
    showCount(++state.nWords);
  }
  if (event.word >= 0) testing.hear(isWord ? label : null);
}

// Listen to the microphone; tells whether that has begun.
async function listen() {
  stop();
  banner("");
  begin();
  say("Asking for the microphone …");
  const ticket = state.ticket, { model } = state.engine;
  let resampler = null, watch = null;
  const take = (samples) => {
    if (!resampler) return;
    banner(watch.check(samples), false);
    hear(resampler.push(samples));
  };
  try {
    const microphone = await Microphone.open(at("recorder").textContent, take, lost);
    if (ticket !== state.ticket) {
      microphone.close();
      return false;
    }
    state.microphone = microphone;
    watch = new SignalWatch(microphone.rate);
    resampler = new Resampler(microphone.rate, model.sample_rate);
  } catch (error) {
    if (ticket === state.ticket) lost(error instanceof RateError ? `The microphone ${error.message}` : error.message);
    return false;
  }
  const words = model.labels.filter((label) => !isSilent(model, label)).map((label) => named(model, label));
  at("start").textContent = "Stop";
  say(`Listening to ${state.microphone.label || "the microphone"}${atRate(state.microphone.rate)}. Say: ${words.join(", ")}.`);
  return true;
}

function lost(text) {
  stop();
  banner(text);
  say("Not listening.");
}

// End whatever source there is; one that is still being opened finds its ticket gone.
function stop() {
  state.ticket++;
  testing.stop();
  state.microphone?.close();
  state.microphone = null;
  at("start").textContent = "Start listening";
}

function atRate(rate) {
  const own = state.engine.model.sample_rate;
  return ` at ${grouped(rate)} Hz${rate === own ? "" : `, resampled to ${grouped(own)} Hz`}`;
}

// A recording, as if it were heard from beginning to end.
async function read(file) {
  if (!state.engine) return;
  stop();
  banner("");
  begin();
  const { ticket } = state;
  try {
    await readAll(file.name, readWav(await file.arrayBuffer()), () => ticket === state.ticket);
  } catch (error) {
    const isKnown = error instanceof WavError || error instanceof RateError;
    lost(isKnown ? `${file.name} ${error.message}` : `${file.name} cannot be read (${error.message}).`);
  }
}

async function readAll(name, wav, isWanted) {
  const { engine } = state, rate = engine.model.sample_rate;
  const resampler = new Resampler(wav.rate, rate), watch = new SignalWatch(wav.rate, false);
  const warnings = new Map(wav.note ? [["", `${name}: ${wav.note}.`]] : []);
  const inSight = SIGHT_S * wav.rate;
  const step = Math.max(1, Math.floor(CHUNK_S * wav.rate));
  let isShown = false;
  for (let first = 0; first < wav.nFrames; first += step) {
    const samples = wav.read(first, step);
    if (!samples.every(Number.isFinite)) {
      throw new WavError("holds values that are no numbers (NaN or infinity): record it again.");
    }
    const warning = watch.check(samples);
    const kind = warning.replace(/[-\d]+/g, "");
    if (warning && !warnings.has(kind)) warnings.set(kind, warning);
    if (!isShown && first + step > wav.nFrames - inSight) {
      isShown = true;
      picture.bandsFrom(engine.heard);
    }
    hear(resampler.push(samples), isShown);
    say(`${name}: ${Math.round(100 * Math.min(1, (first + step) / wav.nFrames))} % read.`);
    await new Promise((done) => { setTimeout(done); });
    if (!isWanted()) return;
  }
  hear(resampler.end());
  hear(new Int16Array(engine.settling)); // quiet, which ends the last word
  if (!watch.hasSounded) warnings.set("silence", `${name} holds nothing but digital silence.`);
  banner([...warnings.values()].join(" "), false);
  say(`${name}: ${(wav.nFrames / wav.rate).toFixed(1)} s${atRate(wav.rate)}, read to its end.`);
  document.dispatchEvent(new CustomEvent("ended"));
}

function connect() {
  at("model").append(...PAGE.models.map(({ name }) => new Option(name, name)));
  at("model").addEventListener("change", ({ target }) => choose(target.value));
  at("how").addEventListener("change", () => {
    stop();
    banner("", false);
    say("Press Start.");
    begin();
  });
  at("start").addEventListener("click", () => {
    if (!state.microphone) return listen();
    stop();
    banner("", false);
    return say("Stopped.");
  });
  at("test").addEventListener("click", () => testing.toggle());
  at("file").addEventListener("change", async ({ target }) => {
    if (target.files.length > 0) await read(target.files[0]);
    target.value = ""; // so that the same file can be chosen again
  });
  at("everything").addEventListener("change", ({ target }) => at("list").classList.toggle("everything", target.checked));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length > 0) read(event.dataTransfer.files[0]);
  });
  addEventListener("error", ({ message }) => lost(`The page has a fault (${message}): reload it.`));
  addEventListener("unhandledrejection", ({ reason }) => lost(`The page has a fault (${reason?.message ?? reason}): reload it.`));
}

function main() {
  const missing = PAGE.missing.map(({ name, reason }) => `${name}: ${reason}`).join("; ");
  at("missing").textContent = missing && `Not in this page: ${missing}.`;
  if (PAGE.models.length === 0) {
    banner("No model is in this page: see below why, then make it again with `make demo`.");
  } else if (typeof WebAssembly === "undefined") {
    banner("This browser has no WebAssembly, which the models need. Use a current Firefox, Chrome, Edge or Safari.");
  } else {
    connect();
    choose(PAGE.models[0].name);
  }
}

main();
