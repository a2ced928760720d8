package junit

import "strings"

// Index finds the cases that belong to a unit of work: a test, a class or a file, by whatever name a list of tests gives it.
// It does not change after NewIndex and may be used by several goroutines.
type Index struct {
	cases []Case
	// one and group map a unit to positions in cases, ascending: names of one case, and names of all cases in a class
	// or file.
	one, group map[string][]int
}

// NewIndex indexes the cases of several reports. It merges nothing: a unit gets the cases of each report that has some.
func NewIndex(reports ...Report) *Index {
	x := &Index{one: map[string][]int{}, group: map[string][]int{}}
	for _, r := range reports {
		for _, s := range r.Suites {
			for _, c := range s.Cases {
				x.add(c)
			}
		}
	}
	return x
}

func (x *Index) add(c Case) {
	i := len(x.cases)
	x.cases = append(x.cases, c)
	x.one[c.Name] = append(x.one[c.Name], i)
	if c.Classname != "" {
		for _, separator := range []string{".", "::"} {
			name := c.Classname + separator + c.Name
			x.one[name] = append(x.one[name], i)
		}
		x.group[c.Classname] = append(x.group[c.Classname], i)
	}
	if file := plainPath(c.File); file != "" && file != c.Classname {
		x.group[file] = append(x.group[file], i)
	}
}

// plainPath is a file without a leading "./", which some tools and lists write and others do not.
func plainPath(file string) string { return strings.TrimPrefix(file, "./") }

// Cases returns the cases of unit, in the order of the reports; nil if there are none. A unit is compared exactly, byte for
// byte but for the "./" before a file, and there are two ranks of a match:
//
//  1. the cases whose name, classname.name or classname::name it is;
//  2. if there are none, the cases whose classname or file it is.
//
// Several cases are all parts of the unit: it passed only if none of them failed.
func (x *Index) Cases(unit string) []Case {
	var cases []Case
	for _, i := range x.match(unit) {
		cases = append(cases, x.cases[i])
	}
	return cases
}

// Assign returns the cases of each of the units, where a case proves only one of them: that which names it most exactly. A
// case admin.login is that of the unit "admin.login", not of the unit "login" beside it, nor of a class "admin" that is a
// unit too. Units that name it equally well (two spellings) leave it to the first.
func (x *Index) Assign(units []string) map[string][]Case {
	best := make([]int, len(x.cases))
	owner := make([]string, len(x.cases))
	for _, unit := range units {
		for _, i := range x.match(unit) {
			if rank := x.cases[i].rank(unit); rank > best[i] {
				best[i], owner[i] = rank, unit
			}
		}
	}
	cases := map[string][]Case{}
	for i, unit := range owner {
		if best[i] > 0 {
			cases[unit] = append(cases[unit], x.cases[i])
		}
	}
	return cases
}

// rank is how exactly a unit that matches the case names it: by file, class, name, or class and name.
func (c Case) rank(unit string) int {
	switch {
	case c.Classname != "" && (unit == c.Classname+"."+c.Name || unit == c.Classname+"::"+c.Name):
		return 4
	case unit == c.Name:
		return 3
	case unit == c.Classname:
		return 2
	}
	return 1
}

// Unmatched returns the cases that belong to none of units, in the order of the reports: a collection error, a suite that failed
// as a whole, or tests that nobody asked for. One that failed there is a failure that Cases shows for no unit.
func (x *Index) Unmatched(units []string) []Case {
	matched := make([]bool, len(x.cases))
	for _, unit := range units {
		for _, i := range x.match(unit) {
			matched[i] = true
		}
	}
	var cases []Case
	for i, c := range x.cases {
		if !matched[i] {
			cases = append(cases, c)
		}
	}
	return cases
}

func (x *Index) match(unit string) []int {
	if one := x.one[unit]; len(one) > 0 {
		return one
	}
	return x.group[plainPath(unit)]
}
