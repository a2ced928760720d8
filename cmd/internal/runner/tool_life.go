package runner

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/shardctl/shardctl/batch"
)

// toolLife is a process of a Tool, from its start until it has ended and all that it said has been taken.
type toolLife struct {
	socket *socket
	kill   context.CancelCauseFunc
	// env is what it was started with, if it is kept.
	env []string
	// wants has room for one: the plugin asks for a batch. asked is whether its last question is open.
	wants chan struct{}
	asked bool
	// served is whether it got a batch. What became of one that did not is nobody's loss.
	served bool
	// done is closed in the end; ended is how, from then on.
	done  chan struct{}
	ended exit

	// other, if not nil, gets each message too.
	other func(message)
	// stdout is the pump of the output, once the process runs.
	stdout atomic.Pointer[pump]

	mu sync.Mutex // is held while the report is told something: once it is another's turn, it is told nothing more
	// report gets what the process says and prints; nil: no batch is under way.
	report *toolReport
	// between are problems and failures that it told meanwhile, spoilt is what toolReport.spoilt was in the end.
	between []message
	spoilt  bool
}

// launch starts a process for report, which may be nil until it is to serve. other, if not nil, gets each message too. The error says why it could not be started.
func (t *Tool) launch(ctx context.Context, in invocation, job Job, report *toolReport, other func(message)) (*toolLife, error) {
	ctx, kill := context.WithCancelCause(ctx)
	l := &toolLife{kill: kill, wants: make(chan struct{}, 1), done: make(chan struct{}), report: report, other: other}
	p, toldAtEnd, err := t.prepare(l, &in, job)
	if err != nil {
		kill(nil)
		return nil, err
	}
	started, failed := make(chan struct{}), make(chan error, 1)
	p.started = func(stdout *pump) {
		l.stdout.Store(stdout)
		close(started)
	}
	if report != nil {
		report.begin()
	}
	go func() {
		defer close(l.done)
		defer kill(nil)
		var err error
		l.ended, err = p.run(ctx)
		for _, w := range []io.Writer{p.Stdout, p.Side} {
			if parsed, ok := w.(*lines); ok {
				parsed.end()
			}
		}
		if toldAtEnd != nil && err == nil && l.ended.Cause == nil {
			for _, m := range toldAtEnd(l.ended, report.printed()) { // no such process is kept
				m.ofEnd = true
				l.take(m)
			}
		}
		l.socket.close()
		failed <- err
	}()
	select {
	case <-started:
		return l, nil
	case err := <-failed:
		if report != nil {
			report.rest()
		}
		return nil, err
	}
}

// prepare makes the socket, the files and the process. ended is toolProcess.ended.
func (t *Tool) prepare(l *toolLife, in *invocation, job Job) (p process, ended func(exit, string) []message, err error) {
	if l.socket, err = listen(l.heard, l.wrong); err != nil {
		return p, nil, err
	}
	defer func() {
		if err != nil {
			l.socket.close()
		}
	}()
	in.folder = l.socket.dir
	in.file = filepath.Join(in.folder, "tests.txt")
	if err := os.WriteFile(in.file, []byte(strings.Join(slices.Concat(in.ids, in.patterns), "\n")+"\n"), 0o600); err != nil {
		return p, nil, err
	}
	tool, err := t.preset.start(t, *in)
	if err != nil {
		return p, nil, err
	}
	p = tool.process
	var address []string
	if tool.stdout == nil && tool.side == nil { // where no plugin takes them away, a runner that a test starts would speak in its stead
		address = []string{
			"SHARD_SOCKET=" + l.socket.path(), "SHARD_PROTOCOL=1", "SHARD_MODE=" + string(in.mode),
			"SHARD_GRANULARITY=" + t.o.Granularity, "SHARD_TESTS_FILE=" + in.file,
		}
		if in.first {
			address = append(address, "SHARD_LIST=1")
		}
	}
	p.Env = slices.Concat(job.Env, address, p.Env)
	p.Grace = job.Limits.Grace
	p.Stdout = &toolText{l}
	if tool.stdout != nil {
		p.Stdout = l.parsed(tool.stdout, l.take)
		if !tool.both {
			p.Stderr = &toolText{l}
		}
	}
	if tool.side != nil {
		p.Side = l.parsed(tool.side, l.heard)
	}
	return p, tool.ended, nil
}

// toolText is what a process prints.
type toolText struct{ l *toolLife }

func (w *toolText) Write(p []byte) (int, error) {
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	if w.l.report == nil {
		return len(p), nil
	}
	return w.l.report.Write(p)
}

// parsed takes the messages of lines, and passes what is none on as text.
func (l *toolLife) parsed(parse func([]byte) []message, take func(message)) *lines {
	text := &toolText{l}
	return &lines{max: maxMessage, each: func(line []byte) {
		messages := parse(line)
		for _, m := range messages {
			take(m)
		}
		if messages == nil {
			_, _ = text.Write(append(line, '\n'))
		}
	}}
}

// heard takes a message that came beside the output: what a failing unit printed may still be in the pipe.
func (l *toolLife) heard(m message) {
	if stdout := l.stdout.Load(); stdout != nil && m.Type == messageFinish && m.Status == batch.Failed && m.Output == "" {
		stdout.caughtUp()
	}
	l.take(m)
}

func (l *toolLife) take(m message) {
	if l.other != nil {
		l.other(m)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case m.Type == messageWant:
		select {
		case l.wants <- struct{}{}:
		default: // it asked already
		}
	case l.report != nil:
		l.report.take(m)
	case m.Type == messageProblem:
		l.between = append(l.between, m)
	case m.Type == messageFinish && m.Status == batch.Failed:
		l.between = append(l.between, m.stray())
	}
}

func (l *toolLife) wrong(err error) {
	l.take(problemOf("", "its plugin does not keep to the protocol: "+err.Error()))
}

// serve sets the report that is told from now on; nil: none.
func (l *toolLife) serve(report *toolReport) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.report != nil {
		l.spoilt = l.report.spoilt()
	}
	l.report = report
	if report == nil {
		return
	}
	report.before = l.spoilt
	report.begin()
	for _, m := range l.between {
		report.take(m)
	}
	l.between = nil
}

// asks waits until the plugin asks for a batch. False: the process has ended, if ctx did, by that.
func (l *toolLife) asks(ctx context.Context) bool {
	select {
	case <-l.wants:
		return true
	case <-l.done:
	case <-ctx.Done():
		l.kill(context.Cause(ctx))
		<-l.done
	}
	return false
}

// gone is whether the process has ended.
func (l *toolLife) gone() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}
