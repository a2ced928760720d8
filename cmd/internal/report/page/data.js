// The run, as html_data.go writes it: columns, texts by number, times in milliseconds since the opening of the run.
const $ = id => document.getElementById(id);
const run = JSON.parse($('data').textContent);
const tests = run.name.length;
const flaky = new Set(run.flaky), excused = new Set(run.excused), told = new Set(run.told);

// Attempts of test i are those from firstAttempt[i] up to firstAttempt[i + 1]; testOf tells the test of an attempt.
const firstAttempt = new Uint32Array(tests + 1);
for (let i = 0; i < tests; i++) firstAttempt[i + 1] = firstAttempt[i] + run.attempts[i];
const testOf = new Uint32Array(firstAttempt[tests]);
for (let i = 0; i < tests; i++) testOf.fill(i, firstAttempt[i], firstAttempt[i + 1]);

const groupOf = i => run.group[i] ? run.texts[run.group[i]] + '::' : '';
const idOf = i => groupOf(i) + run.name[i];
const lastWorkerOf = i => run.attempts[i] ? run.worker[firstAttempt[i + 1] - 1] : -1;
const workerName = w => w < 0 ? '' : run.workers[w].id;

// The tones of attempts, in the order of html_data.go: how bad, which colour, which shape.
const tones = [
  {fill: '--passed-fill', icon: ''}, {fill: '--skipped-fill', icon: '–'}, {fill: '--other-fill', icon: '?'},
  {fill: '--failed-fill', icon: '✗'}, {fill: '--timeout-fill', icon: '‼'}, {fill: '--timeout-fill', icon: '◷'}, {fill: '--lost-fill', icon: '?'},
];
const firstBadTone = 3;

function number(n) { return n.toLocaleString('en-US'); }

// span says how long, as the rest of the page does.
function span(ms) {
  if (ms < 0) return '';
  if (ms < 999.5) return ms > 0 && ms < .5 ? '<0.001s' : Math.round(ms) / 1000 + 's';
  if (ms < 59950) return (ms / 1000).toFixed(1) + 's';
  const s = Math.round(ms / 1000);
  if (s < 3600) return Math.floor(s / 60) + 'm' + String(s % 60).padStart(2, '0') + 's';
  return Math.floor(s / 3600) + 'h' + String(Math.floor(s % 3600 / 60)).padStart(2, '0') + 'm';
}

// matcher returns whether a test's name has all words of a text, and none of those that begin with "-". Names are folded once.
let folded;
function matcher(text) {
  const words = text.toLowerCase().split(/\s+/).filter(w => w && w !== '-');
  if (!words.length) return null;
  folded ||= Array.from({length: tests}, (_, i) => idOf(i).toLowerCase());
  return i => words.every(w => w[0] === '-' ? !folded[i].includes(w.slice(1)) : folded[i].includes(w));
}

// element makes an element; text is never taken for markup.
function element(tag, className, ...children) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  e.append(...children);
  return e;
}

function nameElement(i) {
  const e = element('span', 'id');
  if (run.group[i]) e.append(element('span', 'group', groupOf(i)));
  e.append(element('b', '', run.name[i]));
  return e;
}

function lookElement(i) {
  const [cls, icon, words] = run.looks[run.look[i]];
  const sign = element('span', '', icon);
  sign.setAttribute('aria-hidden', 'true');
  const e = element('span', 'st st-' + (flaky.has(i) ? 'flaky' : cls), sign, ' ', element('span', 'w', words + (flaky.has(i) ? ', flaky' : '') + (excused.has(i) ? ', excused' : '')));
  if (flaky.has(i)) sign.textContent = '≈';
  return e;
}
