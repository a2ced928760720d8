package cli

import "io"

// packaging begins the words for which a program writes what packages hold of it: @man, and @completion with a shell. No test, pattern or
// command of ours begins so.
const packaging = "@"

func (p Program) pack(w io.Writer, args []string) error {
	switch {
	case args[0] == "@man" && len(args) == 1:
		return p.Man(w)
	case args[0] == "@completion" && len(args) == 2:
		return p.Completion(w, args[1])
	}
	return Usagef("%q: this is neither @man nor @completion bash, zsh or fish", args[0])
}
