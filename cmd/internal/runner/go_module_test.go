package runner

import (
	"path/filepath"
	"strings"
)

// goFile is a test file of package p that imports what body uses.
func goFile(body string) string {
	text := "package p\n\nimport (\n"
	for _, name := range []string{"fmt", "os", "os/exec", "path/filepath", "strings", "syscall", "testing", "time"} {
		if strings.Contains(body, filepath.Base(name)+".") {
			text += "\t\"" + name + "\"\n"
		}
	}
	return text + ")\n\n" + body
}

const goPassing = "func TestA(t *testing.T) {}\n"

// goRunFiles is a module with a package for each way in which tests end.
var goRunFiles = map[string]string{
	"mix/p_test.go": goFile(`
func TestFail(t *testing.T) { fmt.Print("no newline"); t.Run("sub", func(t *testing.T) { t.Error("wrong") }) }
func TestParallel1(t *testing.T) { t.Parallel() }
func TestParallel2(t *testing.T) { t.Parallel(); t.Skip("why") }
func FuzzSeeds(f *testing.F) { f.Add(1); f.Fuzz(func(t *testing.T, i int) {}) }
func Example() {
	fmt.Println("x")
	// Output: x
}
`),
	"panics/p_test.go": goFile(goPassing + `
func TestB(t *testing.T) { t.Run("sub", func(t *testing.T) { panic("oh") }) }
func TestC(t *testing.T) {}
`),
	"osexit/p_test.go":  goFile(goPassing + "func TestB(t *testing.T) { os.Exit(0) }\nfunc TestC(t *testing.T) {}\n"),
	"exit0/p_test.go":   goFile(goPassing + "func TestB(t *testing.T) { syscall.Exit(0) }\nfunc TestC(t *testing.T) {}\n"),
	"sigkill/p_test.go": goFile(goPassing + "func TestB(t *testing.T) { fmt.Println(\"to stdout\"); fmt.Fprintln(os.Stderr, \"to stderr\"); syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }\nfunc TestC(t *testing.T) {}\n"),
	"parallel/p_test.go": goFile(`
func TestA(t *testing.T) { t.Parallel(); time.Sleep(time.Hour) }
func TestB(t *testing.T) { t.Parallel(); go func() { panic("oh") }(); time.Sleep(time.Hour) }
func TestC(t *testing.T) {}
`),
	"hang/p_test.go": goFile(goPassing + `
func TestB(t *testing.T) { waitsHere() }
func TestC(t *testing.T) {}
func waitsHere() { time.Sleep(time.Hour) }
`),
	"main3/p_test.go":     goFile(goPassing + "func TestMain(m *testing.M) { m.Run(); fmt.Println(\"leak\"); os.Exit(3) }\n"),
	"mainnorun/p_test.go": goFile(goPassing + "func TestMain(m *testing.M) { fmt.Println(\"not today\") }\n"),
	"mainhangs/p_test.go": goFile(goPassing + "func TestMain(m *testing.M) { time.Sleep(time.Hour) }\n"),
	"onlymain/p_test.go":  goFile("func TestMain(m *testing.M) { fmt.Println(\"setup\"); if os.Getenv(\"ONLY_FAILS\") != \"\" { os.Exit(4) }; os.Exit(m.Run()) }\n"),
	"twice/p_test.go":     goFile("func TestA(t *testing.T) {}\n"),
	"twice/x_test.go":     strings.Replace(goFile("func TestA(t *testing.T) { t.Error(\"x\") }\n"), "package p", "package p_test", 1),
	"bad/p_test.go":       goFile("func TestA(t *testing.T) { undefined() }\nfunc TestB(t *testing.T) {}\n"),
	"syntax/p_test.go":    goFile("func TestA(t *testing.T) {"),
	"flood/p_test.go": goFile(`
func TestA(t *testing.T) {
	line := []byte(strings.Repeat("x", 1<<20)) // no line ends
	for range 300 {
		os.Stdout.Write(line)
	}
	fmt.Println("\nend of the flood")
	t.Error("flooded")
}
`),
	"child/p_test.go": goFile(`
func TestA(t *testing.T) {
	cmd := exec.Command("/bin/sh", "-c", "exec 9>\"$LIFE\"; echo ready; while :; do sleep 1000; done")
	cmd.Stdout = os.Stdout // the pipe stays open
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
}
`),
	"env/p_test.go": goFile(`
func TestA(t *testing.T) {
	dir, _ := os.Getwd()
	fmt.Println("dir", filepath.Base(dir), filepath.Base(os.Getenv("PWD")))
	fmt.Println("binary", filepath.Base(os.Args[0]))
	fmt.Println("job", os.Getenv("JOB"), "short", testing.Short())
	first, _, _ := strings.Cut(os.Getenv("PATH"), ":")
	found, err := exec.LookPath("go")
	t.Error("go", err, filepath.Dir(found) == first)
}
`),
}
