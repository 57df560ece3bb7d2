package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"syscall"

	"warifu/server"
)

// serveProfiled is warifud with a CPU profile of its life: `bench serve CONFIG
// PROFILE`, in a process of its own like the real one.
var ballast = make([]byte, 32<<20) // as warifud has

func serveProfiled(args []string) error {
	if len(args) != 2 {
		return errors.New("serve CONFIG PROFILE")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	config, err := server.ReadConfig(args[0])
	if err != nil {
		return err
	}
	s, err := server.New(ctx, config, server.Options{})
	if err != nil {
		return err
	}
	f, err := os.Create(args[1])
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return err
	}
	err = s.Run(ctx)
	pprof.StopCPUProfile()
	runtime.KeepAlive(ballast)
	return errors.Join(err, f.Close())
}
