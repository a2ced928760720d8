package runner

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/shardctl/shardctl/batch"
)

// phpunitList asks PHPUnit for the tests of each pattern, a file or folder; none: those of its configuration. If it cannot
// tell, as one of the files does not load, each file is asked for by itself, and those that do not load are units.
func phpunitList(ctx context.Context, t *Tool, patterns []string) ([]batch.Test, error) {
	list := &phpunitLister{t: t, seen: map[string]bool{}}
	if len(patterns) == 0 {
		patterns = []string{t.phpunitDefault()}
	}
	for _, pattern := range patterns {
		text, err := list.ask(ctx, pattern)
		if err == nil {
			err = list.read(text)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err == nil {
			continue
		}
		files, findErr := phpunitTestFiles(pattern)
		if findErr != nil {
			return nil, errors.Join(err, findErr)
		}
		if err := list.each(ctx, files, err); err != nil {
			return nil, err
		}
	}
	return list.tests, nil
}

// phpunitDefault is the folder of tests if no configuration says it; empty: one does.
func (t *Tool) phpunitDefault() string {
	configured := slices.ContainsFunc(t.o.Args, func(arg string) bool {
		return strings.HasPrefix(arg, "-c") || strings.HasPrefix(arg, "--configuration")
	})
	if configured || exists(".", phpunitConfigurations...) != "" {
		return ""
	}
	for _, folder := range []string{"tests", "test"} {
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return folder
		}
	}
	return ""
}

type phpunitLister struct {
	t     *Tool
	tests []batch.Test
	seen  map[string]bool
}

func (l *phpunitLister) add(id string) {
	if class, _ := phpunitID(id); l.t.o.Granularity == unitClass {
		id = class
	}
	if !l.seen[id] {
		l.seen[id] = true
		l.tests = append(l.tests, batch.Test{ID: id})
	}
}

// ask returns the list as XML.
func (l *phpunitLister) ask(ctx context.Context, path string) ([]byte, error) {
	file := filepath.Join(l.t.folder, "phpunit-tests.xml")
	defer os.Remove(file)
	words := slices.Concat(l.t.words, l.t.o.Args, []string{"--list-tests-xml", file})
	if path != "" {
		words = append(words, path)
	}
	said, err := answer(ctx, words...)
	// It writes the list when it knows all tests: if it fails later, in a destructor or a shutdown function, the list is right.
	text, readErr := os.ReadFile(file)
	switch {
	case readErr == nil:
		for _, m := range phpunitNoData.FindAllStringSubmatch(said, -1) { // PHPUnit 10 lists the others, and prints these
			l.add(m[1] + "::" + m[2])
		}
		return text, nil
	case err != nil:
		return nil, err
	}
	return nil, fmt.Errorf("%s wrote no list: %s", strings.Join(words, " "), said)
}

// each asks for each file by itself. err is why phpunit could not tell of all at once, returned if it still cannot.
func (l *phpunitLister) each(ctx context.Context, files []string, err error) error {
	before := len(l.tests)
	for _, file := range files {
		if strings.HasSuffix(file, ".phpt") {
			l.add(file)
			continue
		}
		text, askErr := l.ask(ctx, file)
		if askErr == nil {
			askErr = l.read(text)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if askErr != nil && !phpunitAbstract(file) {
			l.add(file)
		}
	}
	if len(l.tests) == before {
		return err
	}
	return nil
}

// phpunitAbstract is whether a file's class is abstract. In a folder PHPUnit passes such a file over; by itself, it refuses it.
func phpunitAbstract(file string) bool {
	text, err := os.ReadFile(file)
	if err != nil {
		return false
	}
	class := strings.TrimSuffix(filepath.Base(file), ".php")
	return regexp.MustCompile(`(?m)^\s*abstract\s+class\s+` + regexp.QuoteMeta(class) + `\b`).Match(text)
}

// read adds the tests of a list. PHPUnit 9 and 10 write <testCaseClass name><testCaseMethod name>, 11 <testClass><testMethod>.
// A method whose data provider fails has no name there, so it is looked for in the file of the class that it stands among.
func (l *phpunitLister) read(text []byte) error {
	class, listed, broken := "", []string(nil), false
	for decoder := xml.NewDecoder(bytes.NewReader(text)); ; {
		token, err := decoder.Token()
		if token == nil {
			if err.Error() != "EOF" {
				return fmt.Errorf("its list of tests: %w", err)
			}
			break
		}
		element, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		attribute := func(name string) string {
			i := slices.IndexFunc(element.Attr, func(a xml.Attr) bool { return a.Name.Local == name })
			if i < 0 {
				return ""
			}
			return element.Attr[i].Value
		}
		switch element.Name.Local {
		case "testCaseClass", "testClass":
			class = attribute("name")
		case "testCaseMethod", "testMethod":
			name := attribute("name")
			switch {
			case class == `PHPUnit\Framework\ErrorTestCase` || class == `PHPUnit\Framework\WarningTestCase`:
				broken = true
			case strings.Contains(name, "::"): // one that is skipped by its data provider
				listed = append(listed, name)
			default:
				listed = append(listed, class+"::"+name)
			}
		case "phptFile", "phpt":
			path := attribute("path") + attribute("file")
			listed = append(listed, relative(path))
		}
	}
	if broken {
		lost := l.lost(listed)
		if len(lost) == 0 {
			return errors.New("a data provider fails, and PHPUnit does not say which")
		}
		listed = append(listed, lost...)
	}
	for _, id := range listed {
		l.add(id)
	}
	return nil
}

// phpProvided is a method with a data provider.
var phpProvided = regexp.MustCompile(`(?s)(?:@dataProvider|@testWith|#\[\\?(?:[\w\\]*\\)?(?:DataProvider|TestWith))(?:[^{};]|\{[^{}]*\})*?\bfunction\s+&?([\w\x80-\xff]+)\s*\(`)

// lost are the methods with a data provider that are not listed, of the classes that are.
func (l *phpunitLister) lost(listed []string) []string {
	if len(listed) == 0 {
		return nil
	}
	files := l.t.phpunitKnow(context.Background()).files
	var lost []string
	done := map[string]bool{}
	for _, id := range listed {
		class, _ := phpunitID(id)
		if done[class] {
			continue
		}
		done[class] = true
		text, _ := os.ReadFile(files[class])
		for _, m := range phpProvided.FindAllSubmatch(text, -1) {
			if id := class + "::" + string(m[1]); !slices.Contains(listed, id) {
				lost = append(lost, id)
			}
		}
	}
	return lost
}

// phpunitConfiguration is what is read of phpunit.xml.
type phpunitConfiguration struct {
	Suites []struct {
		Directories []struct {
			Path   string `xml:",chardata"`
			Suffix string `xml:"suffix,attr"`
		} `xml:"directory"`
		Files []string `xml:"file"`
	} `xml:"testsuites>testsuite"`
}

// phpunitTestFiles are the files with tests below path, or those of phpunit.xml if path is empty.
func phpunitTestFiles(path string) ([]string, error) {
	const suffix = "Test.php"
	find := func(path, suffix string) ([]string, error) {
		return findFiles([]string{path}, func(name string) bool { return strings.HasSuffix(name, suffix) })
	}
	if path != "" {
		return find(path, suffix)
	}
	name := exists(".", phpunitConfigurations...)
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, errors.New("there is no phpunit.xml; name the files or folders of tests")
	}
	var c phpunitConfiguration
	if err := xml.Unmarshal(text, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var files []string
	for _, suite := range c.Suites {
		for _, d := range suite.Directories {
			if d.Suffix == "" {
				d.Suffix = suffix
			}
			found, _ := find(strings.TrimSpace(d.Path), d.Suffix) // a folder may be empty
			files = append(files, found...)
		}
		for _, file := range suite.Files {
			files = append(files, filepath.ToSlash(filepath.Clean(strings.TrimSpace(file))))
		}
	}
	return files, nil
}
