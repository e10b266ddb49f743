// What the page shows beside the picture: the list, the answer, probabilities, level, model.

const MOST_ROWS = 200;
const LOWEST_DB = -80;

const at = (id) => document.getElementById(id);
const isSilent = (model, label) => model.silent.includes(label);
const named = (model, label) => isSilent(model, label)
  ? label.replaceAll("_", " ").trim() : spoken(label, model.labels);
const grouped = (value) => Math.round(value).toLocaleString("en");

function made(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

// One banner at a time: a fault stays until the next try, a warning until it is over.
function banner(text, isFault = true) {
  const box = at("banner");
  if (!isFault && !text && box.dataset.fault === "true") return;
  if (box.textContent !== text) box.textContent = text;
  box.hidden = !text;
  box.dataset.fault = String(isFault && text !== "");
}

function clearList() {
  at("list").tBodies[0].replaceChildren();
  showCount(0);
  showAnswer(null);
}

function addRow(model, event) {
  const isWord = event.verdict === WORD;
  const head = made("th", event.word >= 0 ? model.labels[event.word] : "–");
  head.scope = "row";
  const seconds = (samples) => (samples / model.sample_rate).toFixed(2);
  const cells = [
    event.word >= 0 ? (event.confidence / CERTAIN).toFixed(4) : "",
    seconds(event.start),
    seconds(event.end),
    grouped(1000 * (event.decided - event.end) / model.sample_rate),
    event.microseconds ? grouped(event.microseconds) : "",
  ];
  const row = made("tr", "", isWord ? "" : "other");
  row.append(head, ...cells.map((text) => made("td", text, "n")), made("td", isWord ? "" : VERDICTS[event.verdict]));
  const body = at("list").tBodies[0];
  body.prepend(row);
  while (body.rows.length > MOST_ROWS) body.lastElementChild.remove();
}

function showCount(n) {
  const shown = n > MOST_ROWS ? `, of which the list keeps the last ${MOST_ROWS}` : "";
  at("count").textContent = n === 0 ? "Nothing yet." : `${grouped(n)} word${n === 1 ? "" : "s"}${shown}.`;
}

function showAnswer(model, event) {
  const [word, sure] = at("answer").children;
  word.textContent = model ? named(model, model.labels[event.word]) : "–";
  sure.textContent = model ? `${(100 * event.confidence / CERTAIN).toFixed(1)} % sure` : "";
}

function listClasses(model) {
  at("classes").replaceChildren(...model.labels.map((label) => {
    const item = made("li", ""), bar = made("span", "", "bar");
    bar.append(made("span", "", "fill"));
    item.append(made("span", named(model, label)), bar, made("span", "", "n"));
    return item;
  }));
}

function showProbabilities(probabilities) {
  [...at("classes").children].forEach((item, i) => {
    const percent = 100 * probabilities[i];
    item.querySelector(".fill").style.width = `${percent}%`;
    item.lastElementChild.textContent = `${percent.toFixed(1)} %`;
  });
}

// Level of the last frame, in dB below a full-scale square wave, as `spoken-digits listen` has it.
function levelDb(frame) {
  const mean = frame.reduce((sum, x) => sum + x, 0) / frame.length;
  const power = frame.reduce((sum, x) => sum + (x - mean) ** 2, 0) / frame.length;
  return Math.max(LOWEST_DB, 10 * Math.log10(power / FULL_SCALE ** 2 + 1e-12));
}

function showLevel(engine, samples) {
  const db = levelDb(samples.subarray(-engine.model.detector.frame_length));
  const place = (value) => `${Math.max(0, Math.min(100, 100 * (1 - value / LOWEST_DB)))}%`;
  const meter = at("level"), [fill, floor] = meter.children, text = `${db.toFixed(0)} dB`;
  fill.style.width = place(db);
  floor.hidden = engine.floorDb === null;
  if (!floor.hidden) floor.style.left = place(engine.floorDb);
  meter.classList.toggle("hearing", engine.isHearing);
  meter.setAttribute("aria-valuenow", db.toFixed(0));
  meter.setAttribute("aria-valuetext", text);
  at("level-text").textContent = text;
}

function showFacts({ model, ramBytes, threshold }) {
  const facts = {
    "network": `${grouped(model.parameter_bytes)} bytes`,
    "as WebAssembly": `${grouped(model.module_bytes)} bytes`,
    "RAM on a microcontroller": `${grouped(ramBytes)} bytes`,
    "sample rate": `${grouped(model.sample_rate)} Hz`,
    "threshold": `${(100 * threshold / CERTAIN).toFixed(1)} % sure`,
    "model file": `SHA-256 ${model.sha256.slice(0, 12)}…`,
  };
  const rows = Object.entries(facts);
  at("facts").replaceChildren(...rows.flatMap(([key, value]) => [made("dt", key), made("dd", value)]));
}
