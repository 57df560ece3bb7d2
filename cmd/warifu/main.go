// Command warifu is the sandbox and the tools in one: a world with a card bureau,
// persons, cards, phones, a server and a bank on loopback (demo), the whole walk in
// a fresh one (tour), and everything a person does with card and phone from the
// command line, against a running demo.
//
// Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the place could not be reached, 130 interrupted:
// what was made on the way has been removed. A second Ctrl-C does not wait for that.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // from then on the system's own way: a second one ends at once
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}
