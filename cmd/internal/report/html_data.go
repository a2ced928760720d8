package report

import (
	"encoding/json"
	"time"

	"github.com/shardctl/shardctl/batch"
)

// pageData is a run for the page's script. It is small, so that a hundred thousand tests open at once: columns instead of
// objects, texts that come often by their number in Texts, times in milliseconds since the opening of the run. page/data.js
// reads it.
type pageData struct {
	Begin int64       `json:"begin"` // milliseconds since 1970
	End   float64     `json:"end"`
	Texts []string    `json:"texts"`
	Looks [][3]string `json:"looks"` // class, icon, words; by number
	// Tests, by their number.
	Group    []int    `json:"group"` // number of a text, 0: none
	Name     []string `json:"name"`
	Look     []int    `json:"look"`
	Took     []int    `json:"took"`     // milliseconds, -1: unknown
	Attempts []int    `json:"attempts"` // how many
	Flaky    []int    `json:"flaky"`    // numbers of tests
	Excused  []int    `json:"excused"`
	Told     []int    `json:"told"` // those that have an anchor in the page
	// Attempts of all tests, in their order.
	Worker  []int        `json:"worker"`
	Batch   []int        `json:"batch"`
	How     []int        `json:"how"` // number of a text: what happened
	Tone    []int        `json:"tone"`
	At      []float64    `json:"at"` // -1: it never ran
	For     []float64    `json:"for"`
	Row     []int        `json:"row"`
	Workers []dataWorker `json:"workers"`
	Marks   []dataMark   `json:"marks"`
}

type dataWorker struct {
	ID     string  `json:"id"`
	Info   string  `json:"info"`
	Joined float64 `json:"joined"`
	Left   float64 `json:"left"`
	Lost   bool    `json:"lost"`
	Why    string  `json:"why"`
	Rows   int     `json:"rows"`
	// Holds are its batches: begin, end, number, size, 1 if alone.
	Holds [][5]float64 `json:"holds"`
}

type dataMark struct {
	At    float64 `json:"at"`
	Words string  `json:"words"`
}

// The tones of attempts, by number: what a colour and a shape tell.
const (
	tonePassed = iota
	toneSkipped
	toneOther // came to nothing, and was not charged
	toneFailed
	toneCrashed
	toneTimeout
	toneLost
)

func (a *Attempt) tone() int {
	switch a.End {
	case Vanished:
		return toneLost
	case Finished:
		switch a.Outcome.Status {
		case batch.Passed:
			return tonePassed
		case batch.Skipped:
			return toneSkipped
		case batch.Crashed:
			return toneCrashed
		case batch.Timeout:
			return toneTimeout
		case batch.Failed:
			return toneFailed
		}
	}
	return toneOther
}

// texts numbers texts. Number 0 is the empty one.
type texts struct {
	list    []string
	numbers map[string]int
}

func (t *texts) number(s string) int {
	n, known := t.numbers[s]
	if !known {
		n = len(t.list)
		t.list = append(t.list, s)
		t.numbers[s] = n
	}
	return n
}

// pageJSON returns the data of a page. Go's encoder writes <, >, & and the line ends U+2028 and U+2029 of strings as
// escapes, so that nothing in it ends the script element.
func pageJSON(v Verdict, p *page) ([]byte, error) {
	line := p.timeline
	t := texts{numbers: map[string]int{}}
	t.number("")
	d := pageData{
		Begin: line.Begin.UnixMilli(), End: millis(line.End), Looks: [][3]string{}, Group: []int{}, Name: []string{}, Look: []int{}, Took: []int{}, Attempts: []int{},
		Flaky: []int{}, Excused: []int{}, Told: []int{}, Worker: []int{}, Batch: []int{}, How: []int{}, Tone: []int{}, At: []float64{}, For: []float64{}, Row: []int{},
		Workers: []dataWorker{}, Marks: []dataMark{}, // null is no list to the script
	}
	spans, workers := map[*Attempt]Span{}, map[string]int{}
	for i, l := range line.Lanes {
		workers[l.ID] = i
		w := dataWorker{ID: name(l.ID), Info: name(l.Info), Joined: millis(l.Joined), Left: millis(l.Left), Lost: l.Reaped, Why: message(l.Reason), Rows: l.Rows, Holds: [][5]float64{}}
		for k, hold := range l.Holds {
			b := l.Batches[k]
			one := [5]float64{millis(hold.Begin), millis(hold.End), float64(b.Number), float64(b.Size)}
			if b.Alone {
				one[4] = 1
			}
			w.Holds = append(w.Holds, one)
		}
		d.Workers = append(d.Workers, w)
		for _, s := range l.Spans {
			spans[s.Attempt] = s
		}
	}
	numbers := map[batch.Status]int{}
	for i, j := range v.Tests {
		shown := newPageTest(j)
		if _, known := numbers[j.Status]; !known {
			numbers[j.Status] = len(d.Looks)
			d.Looks = append(d.Looks, [3]string{shown.Status, shown.Icon, shown.Words})
		}
		took := -1
		if a := j.longest(); a != nil {
			took = int(millis(duration(a.Outcome.Seconds)) + 0.5)
		}
		d.Group, d.Name, d.Look = append(d.Group, t.number(shown.Group)), append(d.Name, shown.Name), append(d.Look, numbers[j.Status])
		d.Took, d.Attempts = append(d.Took, took), append(d.Attempts, len(j.Attempts))
		if j.Flaky() {
			d.Flaky = append(d.Flaky, i)
		}
		if j.Excused() {
			d.Excused = append(d.Excused, i)
		}
		if p.detailedTests[i] {
			d.Told = append(d.Told, i)
		}
		for _, a := range j.Attempts {
			d.attempt(a, spans, workers, &t)
		}
	}
	for _, m := range v.History.marks {
		d.Marks = append(d.Marks, dataMark{millis(min(max(0, m.Time.Sub(line.Begin)), line.End)), markWords(m)})
	}
	d.Texts = t.list
	return json.Marshal(d)
}

func (d *pageData) attempt(a *Attempt, spans map[*Attempt]Span, workers map[string]int, t *texts) {
	worker, known := workers[a.Worker]
	if !known {
		worker = -1
	}
	at, length, row := -1.0, 0.0, 0
	if s, ran := spans[a]; ran {
		at, length, row = millis(s.Begin), millis(s.Length()), s.Row
	}
	d.Worker, d.Batch, d.How = append(d.Worker, worker), append(d.Batch, a.Batch), append(d.How, t.number(a.words()))
	d.Tone, d.At, d.For, d.Row = append(d.Tone, a.tone()), append(d.At, at), append(d.For, length), append(d.Row, row)
}

// millis are whole milliseconds, or tenths of short times.
func millis(d time.Duration) float64 {
	if d < 100*time.Millisecond {
		return float64(d.Round(100*time.Microsecond)) / float64(time.Millisecond)
	}
	return float64(d.Round(time.Millisecond) / time.Millisecond)
}
