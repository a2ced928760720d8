// The dialog with all that the page knows of one test.
const details = {
  open(i) {
    $('d-title').replaceChildren(groupOf(i), element('b', '', run.name[i]));
    const list = element('ol', 'history');
    let ran = -1;
    for (let a = firstAttempt[i]; a < firstAttempt[i + 1]; a++) {
      const when = run.at[a] < 0 ? '' : ' — from ' + span(run.at[a]) + ' to ' + span(run.at[a] + run.for[a]) + ' of the run';
      list.append(element('li', '', run.texts[run.how[a]], element('span', 'dim', when)));
      if (run.at[a] >= 0) ran = a;
    }
    const took = run.took[i] < 0 ? '' : ' · took ' + span(run.took[i]);
    const acts = element('p', 'acts');
    if (ran >= 0) acts.append(this.button('Show in the timeline', () => timeline.show(ran)));
    if (told.has(i)) acts.append(this.button('Its output', () => {
      const e = $('t' + i);
      e.open = true;
      e.scrollIntoView();
      e.querySelector('summary').focus();
    }));
    $('d-body').replaceChildren(element('p', '', lookElement(i), element('span', 'dim', took)),
      run.attempts[i] ? list : element('p', '', 'No worker ever claimed it.'), acts);
    $('details').showModal();
    $('d-title').focus(); // autofocus does nothing on a page with a fragment
  },
  button(words, act) {
    const b = element('button', '', words);
    b.type = 'button';
    b.addEventListener('click', () => { $('details').close(); act(); });
    return b;
  },
};
$('d-close').addEventListener('click', () => $('details').close());
$('details').addEventListener('click', e => { if (e.target === $('details')) $('details').close(); });
