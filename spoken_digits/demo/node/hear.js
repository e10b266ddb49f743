// node hear.js engine.js detector.wasm samples how: events of a stream of int16, six numbers a line;
// `how` as of firmware/web/detector_web.h.
//
// The engine is that of the page, and takes blocks of the sizes of a browser's.
"use strict";

const fs = require("node:fs");
const vm = require("node:vm");

const paths = process.argv.slice(2, 5), how = Number(process.argv[5]);
const [engine, module_, samples] = paths.map((path) => fs.readFileSync(path));
vm.runInThisContext(`${engine}; globalThis.Engine = Engine; globalThis.FIELDS = EVENT_FIELDS;`);

const BLOCK = 853; // about what 128 samples of 48 kHz times 40 are at 8 kHz; no multiple of a frame
const { exports: functions } = new WebAssembly.Instance(new WebAssembly.Module(module_));
const detector = new Engine({ name: "detector", labels: [], sliding: { window: 0 } }, functions);
detector.microseconds = () => null; // nobody asks for the time
detector.restart(how);

const stream = new Int16Array(samples.buffer, samples.byteOffset, samples.length >> 1);
const lines = [];
for (let first = 0; first < stream.length; first += BLOCK) {
  for (const event of detector.hear(stream.subarray(first, first + BLOCK))) {
    lines.push(FIELDS.map((name) => event[name]).join(" "));
  }
}
process.stdout.write(lines.map((line) => `${line}\n`).join(""));
