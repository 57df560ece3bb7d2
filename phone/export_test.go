package phone

import "context"

// WithoutPauses returns a client that repeats at once.
func (s *Server) WithoutPauses() *Server {
	c := *s
	c.pause = func(context.Context, int) error { return nil }
	return &c
}

// ReadEvents is the reader of server-sent events.
var ReadEvents = readEvents
