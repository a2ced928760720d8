// What is for all of the page, and its start.
document.documentElement.classList.add('js');
for (const a of document.querySelectorAll('[data-show]')) a.addEventListener('click', () => table.show(a.dataset.show));
for (const b of document.querySelectorAll('[data-fold]')) {
  b.addEventListener('click', () => { for (const d of $(b.dataset.in).querySelectorAll('details')) d.open = b.dataset.fold === 'open'; });
}
for (const b of document.querySelectorAll('[data-copy]')) {
  b.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(b.dataset.copy);
      b.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(b.previousElementSibling); // the page may have no right to: select it, at least
      b.textContent = 'Selected';
    }
  });
}
function openTarget() {
  const e = location.hash.length > 1 && $(decodeURIComponent(location.hash.slice(1)));
  if (e && e.tagName === 'DETAILS') { e.open = true; e.scrollIntoView(); }
}
addEventListener('hashchange', openTarget);
timeline.start();
table.start();
openTarget();
document.documentElement.dataset.ready = Math.round(performance.now());
globalThis.shardReport = {state: timeline.state, test: idOf};
