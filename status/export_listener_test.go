package status

import "net"

// PlainGET is plainGET.
func PlainGET(in []byte) (path []byte, size int, ok bool) {
	path, size, what := plainGET(in)
	return path, size, what == headPlain
}

// DripHead has a connection's loop wait after each of the octets of a head.
func DripHead(c net.Conn, head string, times int) {
	l := NewListener(nil)
	l.places = make(chan struct{}, 10)
	s := &loop{Listener: l, conn: &placed{Conn: c}}
	s.wait()
	for range times {
		s.in = append(s.in, head...)
		s.wait()
	}
}
