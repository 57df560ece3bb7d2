package chip

import (
	"bytes"
	"errors"

	"warifu/iso7816"
)

// swMemoryFailure answers a command whose change could not be saved (ISO/IEC 7816-4
// §5.6): the change is not told, and the chip's word is kept back rather than a lie.
const swMemoryFailure iso7816.StatusWord = 0x6581

// instance is an application on the chip: what SELECT by DF name finds and what then
// receives every command.
type instance interface {
	// aid is the DF name.
	aid() []byte
	// enter is called when the instance was selected; again says that it was the
	// current one already, which keeps its security status (docs/card-facts.md §1.8).
	enter(again bool)
	// leave is called when another instance was selected or the power went.
	leave()
	// process answers one command on the basic channel. An error is the status word
	// to answer (iso7816.StatusWord); any other error is the memory's and reads 6581.
	process(c iso7816.Command) ([]byte, error)
}

// system is a chip's operating system on one interface: it parses what comes, refuses
// logical channels, selects instances and hands on the rest. The first instance is
// the one that is current after power-on.
type system struct {
	instances []instance
	current   instance
	// prefixes lets SELECT find an instance by the first octets of its name (JICSAP).
	prefixes bool
}

func newSystem(prefixes bool, instances ...instance) *system {
	return &system{instances: instances, current: instances[0], prefixes: prefixes}
}

// transmit answers one command APDU; it never fails, as silicon does not.
func (s *system) transmit(command []byte) []byte {
	data, err := s.dispatch(command)
	return response(data, err).Bytes()
}

func response(data []byte, err error) iso7816.Response {
	var sw iso7816.StatusWord
	switch {
	case err == nil:
		return iso7816.Response{Data: data, SW: iso7816.SWOK}
	case errors.As(err, &sw):
		return iso7816.Response{Data: data, SW: sw}
	}
	return iso7816.Response{SW: swMemoryFailure}
}

func (s *system) dispatch(command []byte) ([]byte, error) {
	c, err := iso7816.ParseCommand(command)
	if err != nil {
		return nil, iso7816.SWWrongLength
	}
	if c.CLA == 0xFF {
		return nil, iso7816.SWClassUnsupported
	}
	if channel(c.CLA) != 0 || (c.CLA == 0x00 && c.INS == insManageChannel) {
		return nil, iso7816.SWChannelUnsupported
	}
	if c.CLA == 0x00 && c.INS == insSelect && c.P1 == 0x04 {
		return s.selectName(c)
	}
	return s.current.process(c)
}

// channel is the logical channel a class octet names (ISO/IEC 7816-4 §5.4.1): the two
// low bits, or in the further interindustry classes some other than the basic one.
func channel(cla byte) byte {
	if cla&0x40 != 0 {
		return 4 + cla&0x0F
	}
	return cla & 0x03
}

// selectName answers SELECT by DF name (ISO/IEC 7816-4 §11.2.2). An empty name is the
// instance that was current at power-on (GPCS §11.9.2).
func (s *system) selectName(c iso7816.Command) ([]byte, error) {
	if c.P2 != 0x0C && c.P2 != 0x00 {
		return nil, iso7816.SWWrongParameters
	}
	found := s.find(c.Data)
	if found == nil {
		return nil, iso7816.SWFileNotFound
	}
	if found != s.current {
		s.current.leave()
	}
	found.enter(found == s.current)
	s.current = found
	if c.P2 == 0x0C || c.Ne == 0 {
		return nil, nil
	}
	return iso7816.MakeTLV(0x6F, iso7816.MakeTLV(0x84, found.aid())), nil
}

func (s *system) find(name []byte) instance {
	if len(name) == 0 {
		return s.instances[0]
	}
	for _, i := range s.instances {
		if bytes.Equal(i.aid(), name) || (s.prefixes && bytes.HasPrefix(i.aid(), name)) {
			return i
		}
	}
	return nil
}

// powerOff forgets every security status and makes the first instance current.
func (s *system) powerOff() {
	s.current.leave()
	s.current = s.instances[0]
	s.current.enter(false)
}
