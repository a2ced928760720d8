package runner

const (
	// maxPattern is how long a regular expression or filter for some tests may be: PHPUnit's break near 30 KB, one argument
	// may have 128 KiB.
	maxPattern = 16 << 10
	// maxArguments is how many bytes of arguments a process gets: Linux allows 2 MiB, macOS 1 MiB, with the environment.
	maxArguments = 512 << 10
)

// argumentParts cuts ids into those for one process each if each is an argument.
func argumentParts(ids []string) [][]string {
	return sizedParts(ids, maxArguments, func(id string) int { return len(id) + 1 })
}

// sizedParts cuts ids, in order, into as few parts as there must be if none is to be larger than most.
func sizedParts(ids []string, most int, size func(id string) int) [][]string {
	var parts [][]string
	total := 0
	for _, id := range ids {
		n := size(id)
		if len(parts) == 0 || total+n > most {
			parts, total = append(parts, nil), 0
		}
		parts[len(parts)-1] = append(parts[len(parts)-1], id)
		total += n
	}
	return parts
}
