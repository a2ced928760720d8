package runner

import (
	"context"
	"slices"

	"github.com/shardctl/shardctl/batch"
)

// Split implements Splitter, for presets that know the file of a test, unless the user chose what a unit is. It may start the runner.
func (t *Tool) Split(ctx context.Context, files []string) (map[string][]batch.Test, error) {
	if t.preset.fileOf == nil || !t.free {
		return nil, nil
	}
	byTest := &Tool{preset: t.preset, o: t.o, words: t.words, folder: t.folder}
	byTest.o.Granularity = unitTest
	tests, err := byTest.List(ctx, files)
	if err != nil {
		return nil, err
	}
	split := map[string][]batch.Test{}
	whole := map[string]bool{} // files of which not all tests may be known
	for _, test := range tests {
		file := t.preset.fileOf(test.ID)
		whole[file] = whole[file] || test.ID == file || batch.CheckID(test.ID) != nil
		split[file] = append(split[file], test)
	}
	for file, tests := range split {
		if !slices.Contains(files, file) || whole[file] || t.preset.complete != nil && !t.preset.complete(ctx, t, file, len(tests)) {
			delete(split, file)
		}
	}
	return split, nil
}
