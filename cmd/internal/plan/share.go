package plan

import "math"

// The constants of batch/lua/share.lua, where they are explained.
const (
	shareLook   = 2048
	shareComing = 4
	shareDeal   = 0.2
	shareFull   = 0.98
	shareNoise  = 0.3
	shareWorth  = 1.5
	shareSure   = 3
	sharePart   = 0.8
	shareFloor  = 0.2
)

// shares is what batch/lua/share.lua keeps in Redis to decide how much a claim takes. Times are in microseconds, 0: unknown.
type shares struct {
	queue []waiting

	listed, known, taken int
	knownUS, knownMS2    float64
	takenUS              float64
	leftUS               float64
	leftUnknown          int
}

// waiting is a test in the queue.
type waiting struct {
	index int // of the task
	us    float64
	group string
}

// newShares is the queue of tests with so long expected durations; groups may be nil: there are none.
func newShares(expected []float64, groups []string) *shares {
	s := &shares{listed: len(expected)}
	for i, us := range expected {
		w := waiting{index: i, us: us}
		if groups != nil {
			w.group = groups[i]
		}
		s.queue = append(s.queue, w)
		if us == 0 {
			s.leftUnknown++
			continue
		}
		s.known++
		s.knownUS += us
		s.knownMS2 += us * us / 1e6
	}
	s.leftUS = s.knownUS
	return s
}

// result says that a test has a result.
func (s *shares) result(us float64) {
	if us == 0 {
		s.leftUnknown--
	} else {
		s.leftUS -= us
	}
}

// mean and square are the mean of the known durations and of their squares.
func (s *shares) mean() float64   { return s.knownUS / float64(s.known) }
func (s *shares) square() float64 { return s.knownMS2 / float64(s.known) * 1e6 }

// claim is take_share: the tests that a worker takes which never took any (first) or did. expected is how many workers were
// announced, 0: nobody said; live how many there are.
func (s *shares) claim(first bool, live, expected, most int, startup float64) []waiting {
	target, luck, unknowns, counts, last, step := math.Inf(1), 0.0, most, false, false, 1
	if expected == 0 && first {
		expected = shareComing * live
	}
	workers := max(live, expected)
	if s.known > 0 {
		if target, luck, counts, last = s.target(first, workers, startup); !last {
			unknowns = int(math.Ceil(float64(max(0, s.listed-s.known)) / float64(workers)))
		}
		if counts {
			step = int(math.Ceil(shareDeal * float64(workers-s.taken)))
		}
	} else {
		most = min(most, max(1, int(math.Ceil(float64(len(s.queue))/float64(2*workers)))))
	}
	var taken, back []waiting
	sum, variance, unknown, leftOut := 0.0, 0.0, 0, 0
	at := s.walk(func(block []waiting) bool {
		us, vary, strange := 0.0, 0.0, 0
		for _, w := range block {
			switch {
			case w.us > 0:
				us += w.us
				vary += square(shareNoise * w.us)
			case s.known > 0:
				us += s.mean()
				vary += s.square()
			}
			if w.us == 0 {
				strange++
			}
		}
		switch {
		case len(taken) > 0 && (len(taken) >= most || sum+luck*math.Sqrt(variance) >= shareFull*target):
			back = append(back, block...)
			return false
		case leftOut > 0 && len(back) < shareLook/2:
			leftOut--
			back = append(back, block...)
			return true
		case len(taken) > 0 && (sum+us+luck*math.Sqrt(variance+vary) > target || strange > 0 && unknown >= unknowns):
			back = append(back, block...)
			return len(back) < shareLook
		}
		taken, unknown, leftOut = append(taken, block...), unknown+strange, step-1
		sum, variance = sum+us, variance+vary
		return true
	})
	copy(s.queue[at-len(back):], back)
	s.queue = s.queue[at-len(back):]
	if counts && len(taken) > 0 {
		s.taken++
		s.takenUS += math.Round(sum)
	}
	return taken
}

// walk calls block with each run of tests of one group from the head of the queue on, until that says that it is enough.
// It returns how many tests it came by.
func (s *shares) walk(block func([]waiting) bool) int {
	at := 0
	for at < len(s.queue) {
		end := at + 1
		for group := s.queue[at].group; group != "" && end < len(s.queue) && s.queue[end].group == group; {
			end++
		}
		more := block(s.queue[at:end])
		if at = end; !more {
			break
		}
	}
	return at
}

// target is target_of.
func (s *shares) target(first bool, workers int, startup float64) (us, luck float64, counts, last bool) {
	unknown := float64(max(0, s.listed-s.known))
	late := (max(0, s.leftUS) + float64(max(0, s.leftUnknown))*s.mean()) / float64(workers)
	deviation := math.Sqrt((square(shareNoise)*s.knownMS2*1e6 + unknown*s.square()) / float64(workers))
	luck = min(shareSure, longestOf(float64(workers)*max(1, deviation/max(1, startup))))
	if !first || s.taken >= workers {
		return max(sharePart*late, shareFloor*startup), luck, false, false
	}
	rest := (s.knownUS + unknown*s.mean() - s.takenUS) / float64(workers-s.taken)
	switch {
	case longestOf(float64(workers))*deviation >= shareWorth*startup:
		return late, luck, true, false
	case rest-late > shareWorth*startup:
		return late, 0, true, false
	case s.taken == workers-1:
		return (rest + 1) / shareFull, 0, true, true
	}
	return rest, 0, true, false
}

func longestOf(count float64) float64 { return max(0, math.Sqrt(2*math.Log(count))-0.55) }

func square(x float64) float64 { return x * x }
