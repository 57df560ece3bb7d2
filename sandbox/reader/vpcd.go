package reader

import (
	"context"
	"errors"
	"net"
	"sync"

	"warifu"
	"warifu/iso7816"
)

// VPCD is a reader of the virtual reader's protocol at address (host:port): it listens, and
// a chip dials in, as `warifu phone serve --vpcd` and other people's emulations do.
func VPCD(address string) *Virtual { return &Virtual{address: address} }

// Virtual is a virtual reader. It listens from its first tap until Close.
type Virtual struct {
	address string

	mu       sync.Mutex
	listener *net.TCPListener
}

// Address is where the reader listens, and begins to where it does not yet.
func (v *Virtual) Address(ctx context.Context) (string, error) {
	l, err := v.listen(ctx)
	if err != nil {
		return "", err
	}
	return l.Addr().String(), nil
}

func (v *Virtual) listen(ctx context.Context) (*net.TCPListener, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.listener != nil {
		return v.listener, nil
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", v.address)
	if err != nil {
		return nil, warifu.Unavailable("reader-unreachable", "reader", v.address).With(err)
	}
	v.listener = l.(*net.TCPListener)
	return v.listener, nil
}

// Close stops listening.
func (v *Virtual) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.listener == nil {
		return nil
	}
	err := v.listener.Close()
	v.listener = nil
	return err
}

// Tap implements Source: the next chip that dials in and has an answer to reset.
func (v *Virtual) Tap(ctx context.Context) (Chip, error) {
	l, err := v.listen(ctx)
	if err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, WaitLimit)
	defer cancel()
	deadline, _ := limited.Deadline()
	if err := l.SetDeadline(deadline); err != nil {
		return nil, warifu.Unavailable("reader-unreachable", "reader", v.address).With(err)
	}
	stop := context.AfterFunc(ctx, func() { _ = v.Close() })
	defer stop()
	for {
		conn, err := l.Accept()
		if err != nil {
			return nil, gone(ctx)
		}
		if err := conn.SetDeadline(deadline); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		chip := &virtualChip{conn, iso7816.NewVPCDClient(conn)}
		if atr, err := chip.start(); err == nil && len(atr) > 0 {
			return Bounded(chip, CommandLimit), nil
		}
		_ = conn.Close() // it was no chip: the next may be
	}
}

type virtualChip struct {
	conn net.Conn
	*iso7816.VPCDClient
}

func (c *virtualChip) start() ([]byte, error) {
	if err := c.PowerOn(); err != nil {
		return nil, err
	}
	return c.ATR()
}

// Close takes the power and hangs up.
func (c *virtualChip) Close() error {
	_ = c.PowerOff() // it may have gone already
	if err := c.conn.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
