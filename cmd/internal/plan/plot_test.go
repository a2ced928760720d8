package plan

import (
	"bytes"
	"fmt"
	"math"
	"slices"
)

// plot draws how far above the bound each strategy ends, over the number of workers, both on logarithmic scales.
func plot(workers []int, names []string, ratios [][]float64) []byte {
	const (
		left, top, width, height = 64.0, 58.0, 480.0, 300.0
		least, most              = 0.2, 5000.0 // percent above the bound
	)
	colours := []string{"#0969da", "#cf222e", "#bc4c00", "#9a6700", "#1a7f37", "#8250df"}
	x := func(i int) float64 { return left + width*float64(i)/float64(len(workers)-1) }
	y := func(percent float64) float64 {
		return top + height*(1-math.Log(max(percent, least)/least)/math.Log(most/least))
	}
	var b bytes.Buffer
	put := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 420" font-family="system-ui, sans-serif" font-size="13" role="img" aria-label="Wall time above the bound by number of workers">`)
	put(`<style>.page { fill: #ffffff } text { fill: #1f2328 } .grid { stroke: #d1d9e0 } @media (prefers-color-scheme: dark) { .page { fill: #0d1117 } text { fill: #e6edf3 } .grid { stroke: #3d444d } .line { filter: brightness(1.5) } }</style>`)
	put(`<rect class="page" width="700" height="420"/>`)
	put(`<text x="%.0f" y="24" font-size="15" font-weight="600">How much later than the bound the last worker ends</text>`, left)
	put(`<text x="%.0f" y="43">mean of 8 recorded suites and 4 costs of a start; less is better</text>`, left)
	for _, percent := range []float64{0.2, 1, 5, 20, 100, 500, 2000} {
		label := fmt.Sprintf("%v %%", percent)
		if percent == least {
			label = "≤ " + label
		}
		put(`<line class="grid" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/><text x="%.0f" y="%.1f" text-anchor="end">%s</text>`,
			left, left+width, y(percent), y(percent), left-8, y(percent)+4, label)
	}
	for i, n := range workers {
		put(`<text x="%.1f" y="%.0f" text-anchor="middle">%d</text>`, x(i), top+height+20, n)
	}
	put(`<text x="%.0f" y="%.0f" text-anchor="middle">workers</text>`, left+width/2, top+height+40)
	type label struct {
		at     float64
		series int
	}
	var labels []label
	for s := len(names) - 1; s >= 0; s-- { // ours above the others
		points := ""
		for i, ratio := range ratios[s] {
			points += fmt.Sprintf("%.1f,%.1f ", x(i), y(100*(ratio-1)))
		}
		thick := 1.8
		if s == 0 {
			thick = 3.5
		}
		put(`<polyline class="line" fill="none" stroke="%s" stroke-width="%.1f" stroke-linejoin="round" points="%s"/>`, colours[s], thick, points)
		labels = append(labels, label{y(100 * (ratios[s][len(workers)-1] - 1)), s})
	}
	slices.SortFunc(labels, func(a, b label) int { return int(math.Copysign(1, b.at-a.at)) })
	below := top + height + 16
	for _, l := range labels { // from below, none upon another
		l.at = min(l.at, below-16)
		below = l.at
		put(`<text x="%.0f" y="%.1f" style="fill: %s" class="line" font-weight="600">%s</text>`, left+width+8, l.at+4, colours[l.series], names[l.series])
	}
	put(`</svg>`)
	return b.Bytes()
}
