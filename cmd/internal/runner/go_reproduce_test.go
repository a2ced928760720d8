package runner

import "testing"

func TestGoReproduce(t *testing.T) {
	g, err := NewGo(GoOptions{Args: []string{"-race", "-short", "-tags", "a b"}})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for id, want := range map[string]string{
		"example.com/a::TestB":     `go test example.com/a -run '^TestB$' -race -tags 'a b' -short`,
		"example.com/a::[package]": `go test example.com/a -race -tags 'a b' -short`,
		"no Go test":               "",
	} {
		if got := g.Reproduce(id); got != want {
			t.Errorf("%s: %s\nwant %s", id, got, want)
		}
	}
}
