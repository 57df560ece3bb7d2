package world

import (
	"net/http"

	"warifu/iso7816"
	"warifu/sandbox/fault"
	"warifu/sandbox/handset"
	"warifu/sandbox/trace"
)

// heard is the board of faults behind the trace: every request that reaches the server is
// noted, as it was answered.
type heard struct {
	*fault.Board
	ring *trace.Ring
}

// Around implements server.Faults.
func (h heard) Around(next http.Handler) http.Handler { return h.ring.Around(h.Board.Around(next)) }

// heardElement is a phone's secure element whose exchanges with the app are noted; what a
// reader does with it is heard in the field.
type heardElement struct {
	handset.Element
	id   string
	ring *trace.Ring
}

// Internal implements handset.Element.
func (e heardElement) Internal(caller [32]byte) iso7816.Transmitter {
	return e.ring.Chip(e.id, trace.DoorApp, e.Element.Internal(caller))
}

// hearReader notes what a reader does with a chip.
func (w *World) hearReader(id string, chip iso7816.Transmitter) iso7816.Transmitter {
	return w.Trace.Chip(id, trace.DoorReader, chip)
}
