// The table of all tests. Only the rows that can be seen are in the document.
const table = (() => {
  const rowHeight = 35, scroller = $('t-scroll'), body = $('t').tBodies[0], fields = {name: $('f-name'), look: $('f-look'), worker: $('f-worker')};
  let shown = new Uint32Array(0), sort = {by: '', down: false}, frame = 0, first = -1, last = -1;

  // classes in the order in which they are bad.
  const rank = {lost: 0, crashed: 1, timeout: 2, failed: 3, skipped: 5, passed: 6};
  const classOf = i => run.looks[run.look[i]][0];
  const rankOf = i => flaky.has(i) ? 4 : rank[classOf(i)];
  const compare = {
    look: (a, b) => rankOf(a) - rankOf(b), name: (a, b) => a - b, took: (a, b) => run.took[a] - run.took[b], tries: (a, b) => run.attempts[a] - run.attempts[b],
    worker: (a, b) => workerName(lastWorkerOf(a)).localeCompare(workerName(lastWorkerOf(b))),
  };

  function options() {
    const counts = new Map();
    let bad = 0;
    for (let i = 0; i < tests; i++) {
      const words = run.looks[run.look[i]][2];
      counts.set(words, (counts.get(words) || 0) + 1);
      if (classOf(i) !== 'passed' && classOf(i) !== 'skipped') bad++;
    }
    const add = (select, value, words) => { const o = element('option', '', words); o.value = value; select.append(o); };
    add(fields.look, '', 'All results');
    if (bad) add(fields.look, 'bad', 'Not passed (' + number(bad) + ')');
    for (const [words, n] of [...counts].sort((a, b) => b[1] - a[1])) add(fields.look, words, words + ' (' + number(n) + ')');
    if (flaky.size) add(fields.look, 'flaky', 'flaky (' + number(flaky.size) + ')');
    add(fields.look, 'again', 'More than one attempt');
    add(fields.worker, '', 'All workers');
    run.workers.forEach((w, i) => add(fields.worker, String(i), w.id));
  }

  function looks(value) {
    switch (value) {
      case '': return null;
      case 'bad': return i => classOf(i) !== 'passed' && classOf(i) !== 'skipped';
      case 'flaky': return i => flaky.has(i);
      case 'again': return i => run.attempts[i] > 1;
    }
    return i => run.looks[run.look[i]][2] === value;
  }

  function onWorker(value) {
    if (value === '') return null;
    const w = Number(value);
    return i => { for (let a = firstAttempt[i]; a < firstAttempt[i + 1]; a++) if (run.worker[a] === w) return true; return false; };
  }

  function filter() {
    const by = [looks(fields.look.value), onWorker(fields.worker.value), matcher(fields.name.value)].filter(Boolean);
    const some = new Uint32Array(tests);
    let n = 0;
    for (let i = 0; i < tests; i++) if (by.every(f => f(i))) some[n++] = i;
    shown = some.slice(0, n);
    $('f-count').textContent = n === tests ? number(tests) + (tests === 1 ? ' test' : ' tests') : number(n) + ' of ' + number(tests) + ' tests';
    order();
  }

  function order() {
    const f = compare[sort.by];
    if (f) shown.sort(sort.down ? (a, b) => f(b, a) || a - b : (a, b) => f(a, b) || a - b);
    for (const b of document.querySelectorAll('#t [data-sort]')) {
      if (b.dataset.sort === sort.by) b.parentElement.setAttribute('aria-sort', sort.down ? 'descending' : 'ascending');
      else b.parentElement.removeAttribute('aria-sort');
    }
    $('t').setAttribute('aria-rowcount', shown.length + 1);
    scroller.scrollTop = 0;
    render(true);
  }

  function render(anew) {
    const from = Math.max(0, Math.floor(scroller.scrollTop / rowHeight) - 10);
    const to = Math.min(shown.length, from + Math.ceil((scroller.clientHeight || 600) / rowHeight) + 20);
    if (!anew && from === first && to === last) return;
    const focused = document.activeElement?.dataset?.test;
    [first, last] = [from, to];
    const rows = document.createDocumentFragment();
    rows.append(gap(from));
    for (let k = from; k < to; k++) rows.append(line(shown[k], k));
    rows.append(gap(shown.length - to));
    if (!shown.length) { const td = element('td', '', 'No test fits.'); td.colSpan = 3; rows.append(element('tr', 'none', td)); }
    body.replaceChildren(rows);
    if (focused) body.querySelector('[data-test="' + focused + '"]')?.focus({preventScroll: true});
  }

  function gap(rows) {
    const td = element('td');
    td.style.height = rows * rowHeight + 'px';
    const tr = element('tr', 'gap', td);
    tr.setAttribute('aria-hidden', 'true');
    tr.hidden = rows === 0;
    return tr;
  }

  function line(i, k) {
    const link = element('button', 'link', ...nameElement(i).childNodes);
    link.classList.add('id');
    link.type = 'button';
    link.dataset.test = i;
    link.title = idOf(i);
    const tr = element('tr', '', element('td', 'c-look', lookElement(i)), element('td', 'c-name', link), element('td', 'c-took r', span(run.took[i])),
      element('td', 'c-tries r', String(run.attempts[i])), element('td', 'c-worker', workerName(lastWorkerOf(i))));
    tr.setAttribute('aria-rowindex', k + 2);
    return tr;
  }

  scroller.addEventListener('scroll', () => { frame ||= requestAnimationFrame(() => { frame = 0; render(false); }); });
  body.addEventListener('click', e => { const b = e.target.closest('[data-test]'); if (b) details.open(Number(b.dataset.test)); });
  body.addEventListener('keydown', e => { // up and down go from test to test
    const k = {ArrowDown: 1, ArrowUp: -1}[e.key], tr = e.target.closest('tr');
    if (!k || !tr) return;
    e.preventDefault();
    const next = (k > 0 ? tr.nextElementSibling : tr.previousElementSibling)?.querySelector('[data-test]');
    if (next) { next.focus({preventScroll: true}); next.scrollIntoView({block: 'nearest'}); }
  });
  for (const b of document.querySelectorAll('#t [data-sort]')) {
    b.addEventListener('click', () => {
      const by = b.dataset.sort;
      sort = sort.by !== by ? {by, down: by === 'took' || by === 'tries'} : {by, down: !sort.down};
      order();
    });
  }
  fields.name.addEventListener('input', later(filter, 120));
  fields.look.addEventListener('change', filter);
  fields.worker.addEventListener('change', filter);
  new ResizeObserver(() => render(true)).observe(scroller);

  return {
    start() { options(); filter(); },
    // show filters by a result, as the tiles of the head do.
    show(look) { fields.look.value = look; fields.name.value = fields.worker.value = ''; filter(); },
  };
})();
