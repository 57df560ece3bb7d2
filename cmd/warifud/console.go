package main

import (
	"context"
	"fmt"
	"io"

	"warifu/server"
)

type consoles struct {
	Bootstrap bootstrap `cmd:"" help:"Print a one-time link that enrols an administrator: for the first, or when every passkey is lost."`
}

type bootstrap struct{ configured }

// Run implements the command.
func (c bootstrap) Run(ctx context.Context, out io.Writer) error {
	config, err := server.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	return server.ConsoleBootstrap(ctx, config, server.Options{}, bootstrapTeller(out))
}

// bootstrapTeller prints the link, which is a secret while it lives: to the terminal and into no log.
func bootstrapTeller(out io.Writer) func(string) {
	return func(link string) {
		fmt.Fprintf(out, "Operators' console: enrol an administrator's passkey here, once and within an hour:\n\n  %s\n\n", link)
	}
}
