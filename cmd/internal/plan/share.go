package plan

import "math"

// The constants of batch/lua/share.lua, where they are explained.
const (
	shareChunk = 512
	shareLooks = 4
	shareFull  = 0.98
	shareNoise = 0.3
	shareWorth = 1.5
	shareLeast = 0.5
	sharePart  = 0.8
	shareFloor = 0.2
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
}

func newShares(expected []float64) *shares {
	s := &shares{listed: len(expected)}
	for i, us := range expected {
		s.queue = append(s.queue, waiting{i, us})
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

func (s *shares) mean() float64 { return s.knownUS / float64(s.known) }

// claim is take_share: the tests that a worker takes which never took any (first) or did. expected is how many workers were
// announced, 0: nobody said; live how many there are.
func (s *shares) claim(first bool, live, expected, most int, startup float64) []waiting {
	if s.known == 0 {
		count := int(math.Ceil(float64(len(s.queue)) / float64(2*max(live, expected))))
		count = min(most, max(1, count), len(s.queue))
		taken := s.queue[:count:count]
		s.queue = s.queue[count:]
		return taken
	}
	workers := 2 * live
	if expected > 0 {
		workers = max(live, expected)
	}
	target, counts := s.target(first, workers, startup)
	unknowns := most
	if !math.IsInf(target, 1) {
		unknowns = int(math.Ceil(float64(max(0, s.listed-s.known)) / float64(workers)))
	}
	var taken, back []waiting
	sum, unknown, at := 0.0, 0, 0
	for range shareLooks {
		if len(taken) >= most || len(taken) > 0 && sum >= shareFull*target {
			break
		}
		end := min(at+shareChunk, len(s.queue))
		for ; at < end; at++ {
			w := s.queue[at]
			us := w.us
			if us == 0 {
				us = s.mean()
			}
			fits := len(taken) < most && sum < shareFull*target && (len(taken) == 0 || sum+us <= target && (w.us > 0 || unknown < unknowns))
			if !fits {
				back = append(back, w)
				continue
			}
			taken, sum = append(taken, w), sum+us
			if w.us == 0 {
				unknown++
			}
		}
	}
	s.queue = append(back, s.queue[at:]...)
	if counts && len(taken) > 0 {
		s.taken++
		s.takenUS += math.Round(sum)
	}
	return taken
}

// target is target_of.
func (s *shares) target(first bool, workers int, startup float64) (us float64, counts bool) {
	square := s.knownMS2 / float64(s.known) * 1e6
	unknown := float64(max(0, s.listed-s.known))
	if !first || s.taken >= workers {
		left := max(0, s.leftUS) + float64(max(0, s.leftUnknown))*s.mean()
		return max(sharePart*left/float64(workers), shareFloor*startup), false
	}
	fair := (s.knownUS + unknown*s.mean()) / float64(workers)
	variance := shareNoise*shareNoise*s.knownMS2*1e6 + unknown*square
	reserve := longestOf(workers) * math.Sqrt(variance/float64(workers))
	switch {
	case reserve >= shareWorth*startup:
		return max(fair-reserve, shareLeast*fair), true
	case s.taken == workers-1:
		return math.Inf(1), true
	}
	return (s.knownUS + unknown*s.mean() - s.takenUS) / float64(workers-s.taken), true
}

func longestOf(count int) float64 { return max(0.56, math.Sqrt(2*math.Log(float64(count)))-0.55) }
