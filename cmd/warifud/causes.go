package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"warifu/registration"
	"warifu/server"
)

// causes prints why something is as it is, as a tree for each beginning.
type causes struct {
	configured
	JSON    bool   `name:"json" help:"A JSON array of trees instead of indented lines."`
	Subject string `arg:"" help:"An application, a credential, a card event (card-event-7), a call's receipt number, or a line of the trail."`
}

// Run implements the command.
func (c causes) Run(ctx context.Context, out io.Writer) error {
	config, err := server.ReadConfig(c.Config)
	if err != nil {
		return err
	}
	trees, err := server.Causes(ctx, config, c.Subject)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(trees)
	}
	for _, tree := range trees {
		printCause(out, tree, 0)
	}
	return nil
}

// printCause writes a line of the trail, and under it, further in, what followed from it.
func printCause(out io.Writer, c registration.Cause, depth int) {
	var detail strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c.Detail)) {
		fmt.Fprintf(&detail, " %s=%s", name, c.Detail[name])
	}
	if c.Rule != "" {
		fmt.Fprintf(&detail, " rule=%s", c.Rule)
	}
	fmt.Fprintf(out, "%s%s %s %s by %s%s\n", strings.Repeat("  ", depth), c.At.UTC().Format(time.RFC3339), c.Verb, c.Subject, c.Actor, detail.String())
	for _, e := range c.Effects {
		printCause(out, e, depth+1)
	}
}
