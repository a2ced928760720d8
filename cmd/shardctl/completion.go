package main

import (
	"context"
	"strings"

	"github.com/shardctl/shardctl/cmd/internal/cli"
)

func completionCommand() cli.Command {
	return cli.Command{
		Name: "completion", Usage: strings.Join(cli.Shells, "|"),
		Short: "print what makes a shell complete commands and flags",
		Long: `
  bash   source <(shardctl completion bash)
  zsh    shardctl completion zsh > "${fpath[1]}/_shardctl"
  fish   shardctl completion fish > ~/.config/fish/completions/shardctl.fish

Packages bring it with them. shardworker has the same: shardworker @completion bash.`,
		Run: func(_ context.Context, streams cli.Streams, args cli.Args) error {
			if len(args.Before) != 1 || len(args.After) > 0 {
				return cli.Usagef("for which shell? Name one of %s", strings.Join(cli.Shells, ", "))
			}
			return program().Completion(streams.Out, args.Before[0])
		},
	}
}
