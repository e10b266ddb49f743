// The guided test: asks for one word after another, counts, and keeps nothing.

const NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const ROUNDS = 2; // times that each word is asked for
const PATIENCE_S = 6;

// What to say for a label: digits as words.
function spoken(label, labels) {
  const areDigits = labels.every((one) => /^(\d|_.*_)$/.test(one));
  return (areDigits && NAMES[label]) || label;
}

// 95 % interval of a share (Wilson, 1927), as percentages.
function interval(right, n) {
  const z = 1.959964, share = right / n;
  const middle = share + z * z / (2 * n);
  const reach = z * Math.sqrt(share * (1 - share) / n + z * z / (4 * n * n));
  return [middle - reach, middle + reach].map((bound) => Math.round(100 * bound / (1 + z * z / n)));
}

// A run of the test, and the section of the page that shows it.
const testing = {
  run: null, // { labels, prompts, answers: { asked, said }, timer }, said null: not recognised

  async toggle() {
    if (this.run) {
      stop();
      say("Stopped.");
      return;
    }
    if (!await listen()) return;
    const { model } = state.engine;
    const labels = model.labels.filter((label) => !isSilent(model, label));
    const prompts = shuffled(Array.from({ length: ROUNDS }, () => labels).flat());
    this.run = { model, prompts, answers: [], timer: 0 };
    at("confusions").replaceChildren();
    this.ask();
  },

  stop() {
    clearTimeout(this.run?.timer);
    this.run = null;
    at("prompt").hidden = true;
    at("test").textContent = "Start the test";
  },

  // A sound was recognised: as which word, or null if not surely enough.
  hear(said) {
    if (!this.run) return;
    const { prompts, answers } = this.run;
    answers.push({ asked: prompts[answers.length], said });
    this.ask();
  },

  ask() {
    const { model, prompts, answers } = this.run;
    clearTimeout(this.run.timer);
    const right = answers.filter(({ asked, said }) => said === asked).length;
    const missed = answers.filter(({ said }) => said === null).length;
    at("score").textContent = `${answers.length} of ${prompts.length}: ${right} right, ${answers.length - right - missed} wrong, ${missed} not recognised.`;
    if (answers.length === prompts.length) {
      this.end(right);
      return;
    }
    at("prompt").textContent = `Say: ${named(model, prompts[answers.length])}`;
    at("prompt").hidden = false;
    at("test").textContent = "Stop the test";
    this.run.timer = setTimeout(() => this.hear(null), 1000 * PATIENCE_S);
  },

  end(right) {
    const { model, answers } = this.run, n = answers.length, [low, high] = interval(right, n);
    stop();
    say("The test is over.");
    at("score").textContent += ` That is ${Math.round(100 * right / n)} %; ${n} words tell only that it is between ${low} and ${high} % for your voice.`;
    const faults = answers.filter(({ asked, said }) => asked !== said);
    at("confusions").replaceChildren(...faults.map(({ asked, said }) => made("p",
      `${named(model, asked)}: ${said === null ? "not recognised" : `heard as ${named(model, said)}`}`)));
  },
};

// In random order, no word twice in a row if that can be avoided.
function shuffled(words) {
  const left = [...words], order = [];
  while (left.length > 0) {
    const others = left.filter((word) => word !== order[order.length - 1]);
    const choice = others.length > 0 ? others : left;
    const word = choice[Math.floor(Math.random() * choice.length)];
    left.splice(left.indexOf(word), 1);
    order.push(word);
  }
  return order;
}
