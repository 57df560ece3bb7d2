package main

import (
	"context"
	"errors"
	"net"
	"path/filepath"

	"warifu"
	"warifu/sandbox/desk"
	"warifu/sandbox/folder"
	"warifu/sandbox/gate"
)

// outside is the gate by which other machines reach the world, if it is open.
type outside struct {
	gate *gate.Gate
	file string // the local authority's certificate, for them to trust
	stop context.CancelFunc
	done chan error
}

// open opens the gate where one was asked for; never nil. An address beyond loopback needs --tls.
func (c demoCommand) open(s *session, dir string, p desk.Places) (*outside, error) {
	ip := net.ParseIP(c.Listen)
	switch {
	case c.Listen == "" && !c.TLS:
		return &outside{}, nil
	case c.Listen == "":
		return &outside{}, usage("--listen")
	case !c.TLS && ip.IsLoopback():
		return &outside{}, nil // the world is there already
	case !c.TLS:
		return &outside{}, warifu.Invalid("gate-tls-needed", "address", c.Listen)
	}
	f, err := folder.Open(filepath.Join(dir, "gate"))
	if err != nil {
		return &outside{}, err
	}
	g, err := gate.Open(s.ctx, f, c.Listen, []string{p.Server, p.Desk, p.Phones, p.Bank}, warifu.SystemClock{})
	if err != nil {
		return &outside{}, err
	}
	o := &outside{gate: g, file: filepath.Join(dir, "gate", "authority.pem"), done: make(chan error, 1)}
	if err := replaceFile(o.file, g.Authority); err != nil {
		return &outside{}, errors.Join(err, g.Close())
	}
	ctx, stop := context.WithCancel(s.ctx)
	o.stop = stop
	go func() { o.done <- g.Run(ctx) }()
	return o, nil
}

// tell says where the gate is and what opens it.
func (o *outside) tell(s *session, p desk.Places) error {
	if o.gate == nil {
		return nil
	}
	return s.tell("gate.open", map[string]string{"desk": o.gate.Outer(p.Desk), "code": o.gate.Code, "file": o.file})
}

func (o *outside) shut() {
	if o.gate != nil {
		o.stop()
		<-o.done
	}
}
