// The timeline: a canvas as large as what is seen of it, drawn anew for each view.
const timeline = (() => {
  const canvas = $('tl'), scroller = $('tl-scroll'), tall = $('tl-tall'), tip = $('tl-tip'), say = $('tl-say');
  const g = canvas.getContext('2d');
  const axis = 26, strip = 5, rowHeight = 14, padding = 5, shortest = 0.5;
  const whole = Math.max(run.end, 1);
  let from = 0, to = whole, width = 0, height = 0, gutter = 0, colors = {}, hatch;
  let matches = null, found = [], selected = -1, drag = null, frame = 0;

  // Lanes: where each is, and its attempts by row, sorted by their beginning.
  let y = axis;
  const lanes = run.workers.map(w => {
    const lane = {w, y, rows: Array.from({length: w.rows}, () => []), height: strip + w.rows * rowHeight + 2 * padding};
    y += lane.height;
    return lane;
  });
  const fullHeight = y + 4;
  for (let a = 0; a < testOf.length; a++) {
    if (run.at[a] >= 0 && run.worker[a] >= 0) lanes[run.worker[a]].rows[run.row[a]].push(a);
  }
  const byBegin = (a, b) => run.at[a] - run.at[b] || a - b;
  for (const lane of lanes) {
    for (const row of lane.rows) row.sort(byBegin);
    lane.all = lane.rows.length === 1 ? lane.rows[0] : lane.rows.flat().sort(byBegin);
    lane.began = startOfHolds(lane);
  }

  // startOfHolds finds the first test of each batch: what is before it is starting.
  function startOfHolds(lane) {
    let k = 0;
    return lane.w.holds.map(([begin, end]) => {
      while (k < lane.all.length && run.at[lane.all[k]] + run.for[lane.all[k]] <= begin) k++;
      return k < lane.all.length ? Math.min(Math.max(run.at[lane.all[k]], begin), end) : end;
    });
  }

  const x = t => gutter + (t - from) / (to - from) * (width - gutter);
  const time = px => from + (px - gutter) / (width - gutter) * (to - from);

  // firstFrom returns the index of the first attempt of a row that begins at t or later.
  function firstFrom(row, t) {
    let low = 0, high = row.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (run.at[row[middle]] < t) low = middle + 1; else high = middle;
    }
    return low;
  }

  function readColors() {
    const style = getComputedStyle(document.documentElement);
    colors = {};
    for (const name of ['--bg', '--bg2', '--line', '--text', '--dim', '--hold', '--alone', '--hatch', '--failed', '--focus', ...tones.map(t => t.fill)]) {
      colors[name] = style.getPropertyValue(name).trim();
    }
    const tile = document.createElement('canvas');
    tile.width = tile.height = 6;
    const h = tile.getContext('2d');
    h.strokeStyle = colors['--hatch'];
    for (const d of [-6, 0, 6]) { h.moveTo(d, 6); h.lineTo(d + 6, 0); }
    h.stroke();
    hatch = g.createPattern(tile, 'repeat');
  }

  function resize() {
    const ratio = devicePixelRatio || 1;
    width = scroller.clientWidth;
    if (!width) return;
    gutter = width < 560 ? 84 : 168;
    tall.style.height = fullHeight + 'px';
    height = Math.min(fullHeight, scroller.clientHeight || fullHeight);
    canvas.style.height = height + 'px';
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw();
  }

  function redraw() { frame ||= requestAnimationFrame(() => { frame = 0; draw(); }); }

  function draw() {
    const top = scroller.scrollTop;
    g.fillStyle = colors['--bg'];
    g.fillRect(0, 0, width, height);
    g.font = '12px system-ui, sans-serif';
    g.textBaseline = 'middle';
    g.save();
    g.translate(0, -top);
    for (const lane of lanes) {
      if (lane.y + lane.height >= top + axis && lane.y <= top + height) drawLane(lane);
    }
    drawSelected();
    g.restore();
    drawAxis();
    if (drag && drag.zoom) {
      g.fillStyle = colors['--focus'];
      g.globalAlpha = .2;
      g.fillRect(Math.min(drag.x, drag.now), axis, Math.abs(drag.now - drag.x), height);
      g.globalAlpha = 1;
    }
  }

  function drawLane(lane) {
    const {w} = lane, y0 = lane.y + padding, rows = lane.rows.length * rowHeight;
    g.save();
    g.beginPath();
    g.rect(gutter, lane.y, width - gutter, lane.height);
    g.clip();
    stripes(x(w.joined), x(w.holds.length ? w.holds[0][0] : w.left), y0, strip + rows);
    drawHolds(lane, y0, rows);
    lane.rows.forEach((row, i) => drawRow(row, y0 + strip + i * rowHeight));
    if (w.lost) {
      g.fillStyle = colors['--failed'];
      g.fillRect(x(w.left) - 1, lane.y + 1, 3, lane.height - 2);
      g.font = 'bold 13px system-ui, sans-serif';
      g.fillText('✕ presumed dead', x(w.left) + 6, y0 + strip + rowHeight / 2);
      g.font = '12px system-ui, sans-serif';
    }
    g.restore();
    g.fillStyle = colors['--line'];
    g.fillRect(0, lane.y + lane.height - 1, width, 1);
    g.fillStyle = colors['--text'];
    g.fillText(fit(w.id, gutter - 14), 8, lane.y + lane.height / 2);
  }

  // drawHolds draws batches, each as a band behind its tests and a line above them. Those too narrow to tell apart are one.
  function drawHolds(lane, y0, rows) {
    const holds = lane.w.holds;
    let until = -1;
    for (let i = 0; i < holds.length; i++) {
      const [begin, end, , , alone] = holds[i];
      if (end < from || begin > to) continue;
      const a = Math.max(x(begin), until), b = Math.max(x(end), a + 1);
      if (x(end) <= until) continue;
      g.fillStyle = colors['--hold'];
      g.fillRect(a, y0, b - a, strip + rows);
      g.fillStyle = colors[alone ? '--alone' : '--dim'];
      g.fillRect(a, y0, Math.max(1, b - a - 1), strip - 2);
      if (alone && b - a > 12) g.fillText('↻', a + 2, y0 + strip + rows / 2);
      if (x(lane.began[i]) - a > 3) stripes(a, x(lane.began[i]), y0 + strip, rows);
      until = b;
    }
  }

  function stripes(a, b, y, h) {
    if (b - a < 1) return;
    g.fillStyle = hatch;
    g.globalAlpha = .55;
    g.fillRect(a, y, b - a, h);
    g.globalAlpha = 1;
  }

  // drawRow draws tests; those narrower than a pixel share it, and the worst of them shows.
  function drawRow(row, y0) {
    let column = -1, worst = -1, lit = false, flag = -99;
    const flush = () => {
      if (column >= 0) bar(column, 1, y0, worst, lit);
      column = -1;
    };
    // A row's attempts may overlap beyond its bound, so the first one to look at is found by its beginning, with room.
    for (let k = Math.max(0, firstFrom(row, from) - 8); k < row.length; k++) {
      const a = row[k], begin = run.at[a];
      if (begin > to) break;
      if (begin + run.for[a] < from) continue;
      const left = x(begin), w = x(begin + run.for[a]) - left, tone = run.tone[a];
      const on = !matches || matches[testOf[a]] === 1;
      if (w < 1.5) {
        const c = Math.floor(left);
        if (c !== column) { flush(); column = c; worst = -1; lit = false; }
        if (on && !lit) { lit = true; worst = tone; } else if (on === lit && tone > worst) worst = tone;
      } else {
        flush();
        bar(left, w - (w > 3 ? 1 : 0), y0, tone, on);
        if (tones[tone].icon && w > 12) { g.fillStyle = colors['--bg']; g.fillText(tones[tone].icon, Math.max(left, gutter) + 3, y0 + rowHeight / 2); }
      }
      if (tone >= firstBadTone && left - flag > 9) { // a shape beside the colour
        flag = left;
        const at = Math.max(left, gutter + 4);
        g.fillStyle = colors['--failed'];
        g.beginPath();
        g.moveTo(at - 4, y0 - strip - 1); g.lineTo(at + 4, y0 - strip - 1); g.lineTo(at, y0);
        g.fill();
      }
    }
    flush();
  }

  function bar(left, w, y0, tone, on) {
    g.globalAlpha = on ? 1 : .16;
    g.fillStyle = colors[tones[tone].fill];
    g.fillRect(left, y0 + 1, w, rowHeight - 2);
    if (on && matches) {
      g.fillStyle = colors['--text'];
      g.fillRect(left, y0 + rowHeight - 2, Math.max(w, 2), 2);
    }
    g.globalAlpha = 1;
  }

  // drawSelected frames an attempt, and joins it with the others at its test.
  function drawSelected() {
    if (selected < 0) return;
    const i = testOf[selected];
    g.strokeStyle = colors['--text'];
    g.lineWidth = 2;
    g.save();
    g.beginPath();
    g.rect(gutter, 0, width, fullHeight);
    g.clip();
    let last = null;
    for (let a = firstAttempt[i]; a < firstAttempt[i + 1]; a++) {
      if (run.at[a] < 0 || run.worker[a] < 0) continue;
      const y0 = yOf(a), left = x(run.at[a]), w = Math.max(3, run.for[a] / (to - from) * (width - gutter));
      g.strokeRect(left - 1, y0, w + 1, rowHeight);
      if (last) {
        g.setLineDash([4, 3]);
        g.beginPath();
        g.moveTo(last.x, last.y); g.lineTo(left, y0 + rowHeight / 2);
        g.stroke();
        g.setLineDash([]);
      }
      last = {x: left + w, y: y0 + rowHeight / 2};
    }
    g.restore();
  }

  const yOf = a => lanes[run.worker[a]].y + padding + strip + run.row[a] * rowHeight;

  function drawAxis() {
    g.fillStyle = colors['--bg2'];
    g.fillRect(0, 0, width, axis);
    g.fillStyle = colors['--line'];
    g.fillRect(0, axis - 1, width, 1);
    g.fillRect(gutter - 1, 0, 1, height);
    const step = niceStep((to - from) / Math.max(2, (width - gutter) / 90));
    for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
      const at = x(t), words = t === 0 ? '0' : label(t, step);
      g.fillStyle = colors['--line'];
      g.globalAlpha = .5;
      g.fillRect(Math.round(at), axis, 1, height);
      g.globalAlpha = 1;
      g.fillStyle = colors['--dim'];
      if (at + 3 + g.measureText(words).width < width) g.fillText(words, at + 3, axis / 2);
    }
    g.fillStyle = colors['--dim'];
    g.fillText(lanes.length === 1 ? '1 worker' : number(lanes.length) + ' workers', 8, axis / 2);
    for (const m of run.marks) {
      if (m.at <= from || m.at >= to) continue;
      g.strokeStyle = colors['--text'];
      g.lineWidth = 1;
      g.setLineDash([2, 3]);
      g.beginPath();
      g.moveTo(x(m.at), 0); g.lineTo(x(m.at), height);
      g.stroke();
      g.setLineDash([]);
    }
  }

  function niceStep(least) {
    for (const s of [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5, 72e5]) if (s >= least) return s;
    return Math.ceil(least / 36e5) * 36e5;
  }

  function label(t, step) {
    if (step < 1000 && t < 6e4) return (t / 1000).toFixed(step < 10 ? 3 : step < 100 ? 2 : 1) + 's';
    const s = Math.floor(t / 1000), rest = step < 1000 ? '.' + String(Math.round(t % 1000)).padStart(3, '0') : '';
    if (s < 60) return s + 's';
    if (s < 3600) return Math.floor(s / 60) + 'm' + String(s % 60).padStart(2, '0') + rest + 's';
    return Math.floor(s / 3600) + 'h' + String(Math.floor(s % 3600 / 60)).padStart(2, '0') + 'm';
  }

  function fit(text, room) {
    if (g.measureText(text).width <= room) return text;
    let n = text.length;
    while (n > 1 && g.measureText(text.slice(0, n) + '…').width > room) n--;
    return text.slice(0, n) + '…';
  }

  // view shows a stretch of time.
  function view(a, b) {
    const length = Math.min(Math.max(b - a, Math.min(shortest, whole)), whole);
    const begin = Math.min(Math.max(a + (b - a - length) / 2, 0), whole - length);
    from = begin;
    to = begin + length;
    redraw();
  }
  function zoom(factor, around = (from + to) / 2) { view(around - (around - from) * factor, around + (to - around) * factor); }
  function move(part) { view(from + part * (to - from), to + part * (to - from)); }
  function tellView() { say.textContent = 'Shown: ' + span(from) + ' to ' + span(to) + ' of ' + span(whole) + '.'; }

  // hit finds the attempt, or else the lane, under a point of the canvas.
  function hit(px, py) {
    const at = py + scroller.scrollTop, lane = py < axis || px < 0 ? null : lanes.find(l => at >= l.y && at < l.y + l.height);
    if (!lane) return {};
    const row = Math.floor((at - lane.y - padding - strip) / rowHeight);
    if (px < gutter || row < 0 || row >= lane.rows.length) return {lane};
    const t = time(px), slack = 3 * (to - from) / (width - gutter), list = lane.rows[row];
    let best = -1, distance = slack;
    for (let k = Math.max(0, firstFrom(list, t - slack) - 8); k < list.length && run.at[list[k]] <= t + slack; k++) {
      const d = Math.max(run.at[list[k]] - t, t - run.at[list[k]] - run.for[list[k]], 0) - (run.tone[list[k]] >= firstBadTone ? slack / 2 : 0);
      if (d < distance) { best = list[k]; distance = d; }
    }
    return {lane, attempt: best};
  }

  function describe(a) {
    return [idOf(testOf[a]), run.texts[run.how[a]] + ' · ' + span(run.at[a]) + ' to ' + span(run.at[a] + run.for[a]) + ' (' + span(run.for[a]) + ')' +
      (run.batch[a] ? ' · batch ' + run.batch[a] : '')];
  }

  function describeLane(lane, t) {
    const {w} = lane, n = w.holds.findIndex(h => t >= h[0] && t < h[1]);
    if (t < w.joined) return [w.id, 'not here yet; joined at ' + span(w.joined)];
    if (t >= w.left) return [w.id, (w.lost ? 'presumed dead at ' : 'left at ') + span(w.left) + (w.why ? ': ' + w.why : '')];
    if (n >= 0) {
      const [begin, end, batch, size, alone] = w.holds[n];
      return [w.id, (t < lane.began[n] ? 'starting its runner for ' : 'between tests of ') + 'batch ' + batch + ' (' + (alone ? '1 test, alone, as it ran before' : number(size) + (size === 1 ? ' test' : ' tests')) + '), ' + span(begin) + ' to ' + span(end)];
    }
    return [w.id, t < (w.holds.length ? w.holds[0][0] : w.left) ? 'joined, and starting' : 'idle'];
  }

  function showTip([title, text], px, py) {
    tip.replaceChildren(element('b', '', title), text);
    tip.hidden = false;
    const box = $('tl-box');
    tip.style.left = Math.max(4, Math.min(px + 12, box.clientWidth - tip.offsetWidth - 4)) + 'px';
    tip.style.top = (py + 18 + tip.offsetHeight > box.clientHeight ? Math.max(2, py - tip.offsetHeight - 10) : py + 18) + 'px';
  }

  function select(a, {scroll = true} = {}) {
    selected = a;
    if (a >= 0) {
      const y0 = yOf(a);
      if (scroll && (y0 < scroller.scrollTop + axis || y0 + rowHeight > scroller.scrollTop + height)) scroller.scrollTop = y0 - height / 2;
      const begin = run.at[a], end = begin + run.for[a];
      if (end < from || begin > to) view(begin - (to - from) / 2, begin + (to - from) / 2);
      const words = describe(a);
      say.textContent = words.join(': ');
      showTip(words, Math.max(gutter, x(begin)), y0 - scroller.scrollTop + rowHeight);
    }
    redraw();
  }

  // show brings an attempt to where it can be seen.
  function show(a) {
    const room = Math.max(run.for[a] * 6, whole / 200, 5);
    view(run.at[a] - room, run.at[a] + run.for[a] + room);
    $('timeline').scrollIntoView();
    canvas.focus({preventScroll: true});
    select(a);
  }

  function step(direction) {
    const lane = selected < 0 ? lanes.find(l => l.all.length) : lanes[run.worker[selected]];
    if (!lane) return;
    const at = selected < 0 ? firstFrom(lane.all, from) - (direction > 0 ? 1 : 0) : lane.all.indexOf(selected);
    const next = lane.all[Math.min(Math.max(at + direction, 0), lane.all.length - 1)];
    if (next !== undefined) select(next);
  }

  function stepLane(direction) {
    const now = selected < 0 ? -1 : run.worker[selected], t = selected < 0 ? from : run.at[selected];
    for (let i = now + direction; i >= 0 && i < lanes.length; i += direction) {
      const list = lanes[i].all;
      if (list.length) return select(list[Math.min(firstFrom(list, t), list.length - 1)]);
    }
  }

  function find(text) {
    const match = matcher(text);
    matches = null;
    found = [];
    if (match) {
      matches = new Uint8Array(tests);
      let n = 0;
      for (let i = 0; i < tests; i++) if (match(i)) { matches[i] = 1; n++; }
      for (let a = 0; a < testOf.length; a++) if (matches[testOf[a]] && run.at[a] >= 0) found.push(a);
      found.sort(byBegin);
      say.textContent = number(n) + ' of ' + number(tests) + ' tests found, in ' + number(found.length) + ' attempts.';
    } else say.textContent = '';
    redraw();
  }

  function stepFound(direction) {
    if (!found.length) return;
    const at = found.indexOf(selected);
    show(found[at < 0 ? (direction > 0 ? 0 : found.length - 1) : (at + direction + found.length) % found.length]);
  }

  const point = e => { const box = canvas.getBoundingClientRect(); return [e.clientX - box.left, e.clientY - box.top]; };
  const touches = new Map();
  canvas.addEventListener('pointerdown', e => {
    const [px] = point(e);
    touches.set(e.pointerId, px);
    if (e.button !== 0 || px < gutter) return;
    canvas.setPointerCapture(e.pointerId);
    const touch = e.pointerType === 'touch';
    drag = {x: px, now: px, from, to, zoom: !e.shiftKey && !touch, pinch: touches.size === 2 ? [...touches.values()] : null};
  });
  canvas.addEventListener('pointermove', e => {
    const [px, py] = point(e);
    if (touches.has(e.pointerId)) touches.set(e.pointerId, px);
    if (drag) {
      drag.now = Math.max(gutter, px);
      tip.hidden = true;
      const scale = (drag.to - drag.from) / (width - gutter);
      if (drag.pinch && touches.size === 2) {
        const [a, b] = drag.pinch, [c, d] = [...touches.values()], factor = Math.max(10, Math.abs(a - b)) / Math.max(10, Math.abs(c - d));
        const middle = drag.from + ((a + b) / 2 - gutter) * scale, begin = middle - ((c + d) / 2 - gutter) * scale * factor;
        view(begin, begin + (drag.to - drag.from) * factor);
      } else if (!drag.zoom) view(drag.from - (px - drag.x) * scale, drag.to - (px - drag.x) * scale);
      else redraw();
      return;
    }
    const {lane, attempt} = hit(px, py), mark = py < axis && run.marks.find(m => Math.abs(x(m.at) - px) < 6);
    if (mark) return showTip([mark.words, 'at ' + span(mark.at)], px, py);
    if (!lane || px < gutter && e.pointerType === 'touch') { tip.hidden = true; return; }
    showTip(attempt >= 0 ? describe(attempt) : px < gutter ? [lane.w.id, lane.w.info] : describeLane(lane, time(px)), px, py);
  });
  const release = e => {
    touches.delete(e.pointerId);
    if (!drag) return;
    const d = drag;
    drag = null;
    if (Math.abs(d.now - d.x) > 4) {
      if (d.zoom) { const [a, b] = [d.x, d.now].sort((p, q) => p - q); view(time(a), time(b)); tellView(); }
      return redraw();
    }
    const [px, py] = point(e), {attempt} = hit(px, py);
    select(attempt ?? -1, {scroll: false});
  };
  canvas.addEventListener('pointerup', release);
  canvas.addEventListener('pointercancel', e => { touches.delete(e.pointerId); drag = null; redraw(); });
  canvas.addEventListener('pointerleave', () => { if (!drag) tip.hidden = true; });
  canvas.addEventListener('dblclick', () => { if (selected >= 0) details.open(testOf[selected]); });
  canvas.addEventListener('wheel', e => {
    if (Math.abs(e.deltaX) > Math.abs(e.deltaY)) { e.preventDefault(); return move(e.deltaX / (width - gutter)); }
    if (!e.ctrlKey && !e.metaKey && document.activeElement !== canvas) return; // the page scrolls
    e.preventDefault();
    tip.hidden = true;
    zoom(Math.exp(Math.max(-200, Math.min(200, e.deltaY)) / 400), time(Math.max(gutter, point(e)[0])));
  }, {passive: false});
  canvas.addEventListener('keydown', e => {
    if (e.ctrlKey || e.metaKey || e.altKey) return;
    const act = {
      '+': () => { zoom(.6); tellView(); }, '=': () => { zoom(.6); tellView(); }, '-': () => { zoom(1 / .6); tellView(); }, '0': all, Home: all, Escape: () => { tip.hidden = true; select(-1); },
      ArrowLeft: () => move(-.15), ArrowRight: () => move(.15), ArrowUp: () => stepLane(-1), ArrowDown: () => stepLane(1),
      n: () => step(1), p: () => step(-1), Enter: () => { if (selected >= 0) details.open(testOf[selected]); },
    }[e.key];
    if (!act) return;
    e.preventDefault();
    act();
  });
  function all() { tip.hidden = true; view(0, whole); tellView(); }
  $('tl-in').addEventListener('click', () => { zoom(.5); tellView(); });
  $('tl-out').addEventListener('click', () => { zoom(2); tellView(); });
  $('tl-all').addEventListener('click', all);
  $('tl-next').addEventListener('click', () => stepFound(1));
  $('tl-prev').addEventListener('click', () => stepFound(-1));
  $('tl-find').addEventListener('input', later(() => find($('tl-find').value), 120));
  $('tl-find').addEventListener('keydown', e => { if (e.key === 'Enter') { e.preventDefault(); find($('tl-find').value); stepFound(e.shiftKey ? -1 : 1); $('tl-find').focus({preventScroll: true}); } });
  scroller.addEventListener('scroll', () => { tip.hidden = true; redraw(); });
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => { readColors(); redraw(); });

  return {
    start() {
      readColors();
      new ResizeObserver(resize).observe(scroller);
      resize();
      canvas.setAttribute('aria-label', 'Timeline of ' + number(lanes.length) + ' workers and ' + number(testOf.length) + ' attempts in ' + span(whole) + '. The tables below have the same as text.');
    },
    show,
    // state is what is seen, for tests of this page.
    state: () => ({from, to, whole, selected, selectedTest: selected < 0 ? '' : idOf(testOf[selected]), found: found.length, lanes: lanes.length,
      at: selected < 0 ? null : {x: x(run.at[selected] + run.for[selected] / 2), y: yOf(selected) - scroller.scrollTop + rowHeight / 2}}),
  };
})();

// later calls f when nothing has happened for some milliseconds.
function later(f, ms) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(f, ms); };
}
