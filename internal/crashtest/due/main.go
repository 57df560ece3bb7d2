// Command due is a Warifu server that does once what is due at an instant ahead, and
// ends: a tool of package crashtest, which has it killed at a statement of its own choice.
// warifud itself goes by the machine's clock and nothing else.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"warifu"
	"warifu/server"
)

func main() {
	config := flag.String("config", "", "configuration file of the server")
	ahead := flag.Duration("ahead", 0, "how far its clock is ahead")
	flag.Parse()
	if err := run(context.Background(), *config, *ahead); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run opens the server, says that it is ready, waits for a line and does what is due.
func run(ctx context.Context, file string, ahead time.Duration) error {
	config, err := server.ReadConfig(file)
	if err != nil {
		return err
	}
	clock := warifu.ClockFunc(func() time.Time { return warifu.SystemClock{}.Now().Add(ahead) })
	s, err := server.New(ctx, config, server.Options{Clock: clock, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	s.Sweep(ctx)
	if _, err := s.Queue().Drain(ctx); err != nil {
		return err
	}
	return s.Close()
}
