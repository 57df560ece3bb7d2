package party

import (
	"context"
	"io"
	"os"
	"os/exec"
	"time"

	"warifu"
)

// program is the relying party as a process that the doctor starts and ends.
type program struct {
	stop context.CancelFunc
	done chan struct{}
}

// start runs the command, with its output going to out. It is asked to end when the context
// ends, and ended after five seconds.
func start(ctx context.Context, command []string, out io.Writer) (*program, error) {
	ctx, cancel := context.WithCancel(ctx)
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.Stdout, c.Stderr, c.WaitDelay = out, out, 5*time.Second
	c.Cancel = func() error {
		if c.Process.Signal(os.Interrupt) != nil {
			return c.Process.Kill()
		}
		return nil
	}
	if err := c.Start(); err != nil {
		cancel()
		return nil, warifu.Invalid("doctor-run", "command", command[0]).With(err)
	}
	p := &program{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		_ = c.Wait() // how it ended is told by whether it answers
	}()
	return p, nil
}

func (p *program) end() {
	p.stop()
	<-p.done
}

// Start starts the relying party where the configuration says how (Config.Run), and lets the
// cases start it anew. Its output goes to out. Close ends it. Error: Invalid "doctor-run"
// with "command".
func (x *Examination) Start(ctx context.Context, out io.Writer) error {
	if len(x.config.Run) == 0 {
		return nil
	}
	var err error
	if x.program, err = start(ctx, x.config.Run, out); err != nil {
		return err
	}
	x.Restart = func(context.Context) error {
		x.program.end()
		if x.program, err = start(ctx, x.config.Run, out); err != nil {
			return err
		}
		return x.Reach(ctx)
	}
	return nil
}
