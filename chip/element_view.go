package chip

import (
	"context"
	"crypto/sha256"

	"warifu/globalplatform"
	"warifu/iso7816"
	"warifu/jpki"
)

// view is one interface of an element, or one channel of it: a selection and a security
// status of its own over the chip that all share.
type view struct {
	element  *Element
	internal bool
	caller   [sha256.Size]byte

	power  uint64 // of the element when this session began
	system *system
	rest   []byte // of an answer longer than was asked for, awaiting GET RESPONSE
}

// Transmit implements iso7816.Transmitter. It fails only when the chip lost its memory.
func (v *view) Transmit(ctx context.Context, command []byte) ([]byte, error) {
	return v.element.receive(ctx, v, command)
}

// PowerOff implements iso7816.Powered for a reader: the phone left its field, and this
// interface's session is over. The chip itself stays powered by the phone.
func (v *view) PowerOff() {
	v.element.mu.Lock()
	defer v.element.mu.Unlock()
	v.system, v.rest = nil, nil
}

// Reset implements iso7816.Powered.
func (v *view) Reset() { v.PowerOff() }

// answer runs with the element locked.
func (v *view) answer(command []byte) []byte {
	if v.system == nil || v.power != v.element.power {
		v.power, v.system, v.rest = v.element.power, v.instances(), nil
	}
	c, err := iso7816.ParseCommand(command)
	if err != nil {
		return response(nil, iso7816.SWWrongLength).Bytes()
	}
	if v.rest != nil && c.CLA&0xFC == 0 && c.INS == insGetResponse {
		return v.deliver(v.rest, iso7816.SWOK, c.Ne)
	}
	v.rest = nil
	if err := v.admits(c); err != nil {
		return response(nil, err).Bytes()
	}
	r := response(v.system.dispatch(command))
	return v.deliver(r.Data, r.SW, c.Ne)
}

const insGetResponse = 0xC0

// deliver answers at most ne octets and keeps the rest for GET RESPONSE (ISO/IEC 7816-4
// §5.3.4). A command that asked for nothing is given all, as readers allow.
func (v *view) deliver(data []byte, sw iso7816.StatusWord, ne int) []byte {
	v.rest = nil
	if ne == 0 || len(data) <= ne || sw != iso7816.SWOK {
		return iso7816.Response{Data: data, SW: sw}.Bytes()
	}
	v.rest = data[ne:]
	more := byte(min(len(v.rest), 0x100)) // 256 and more are written 00
	return iso7816.Response{Data: data[:ne], SW: 0x6100 | iso7816.StatusWord(more)}.Bytes()
}

// instances builds what the interface can select: behind the idle state in which every
// session begins, the JPKI application and, on the internal one, the domains.
func (v *view) instances() *system {
	e := v.element
	app := newElementApplication(e, v.internal)
	if !v.internal {
		return newSystem(false, idle{}, app)
	}
	return newSystem(false, idle{}, app,
		newDomain(e, issuerDomain), newDomain(e, supplementaryDomain), &accessMaster{element: e})
}

// contactlessCommands is the short list of docs/secure-element.md §2.
var contactlessCommands = map[command]bool{
	{0x00, insSelect}: true, {0x00, insReadBinary}: true, {0x00, insVerify}: true, {0x80, insComputeSignature}: true,
	{0x80, jpki.InsKill}: true, {0x80, jpki.InsCleanProof}: true, {0x80, jpki.InsChain}: true,
}

// admits keeps out what the interface or the access rules do not allow.
func (v *view) admits(c iso7816.Command) error {
	if !v.internal && !contactlessCommands[command{c.CLA & 0x80, c.INS}] {
		return iso7816.SWInstructionUnsupported
	}
	if c.INS != insSelect || c.P1 != 0x04 || c.CLA&0xFC != 0 {
		return nil
	}
	if !v.element.selectable(c.Data) {
		return iso7816.SWFileNotFound
	}
	if v.internal && !v.element.state.permits(c.Data, v.caller) {
		return iso7816.SWSecurityStatus
	}
	return nil
}

// selectable follows the life-cycle states (GPCS §5): a terminated chip offers nothing, a
// locked one its issuer security domain only, and a locked or deleted application is not found.
func (e *Element) selectable(aid []byte) bool {
	s := e.state
	switch {
	case s.Card == globalplatform.CardTerminated:
		return false
	case string(aid) == string(jpki.AIDIssuerDomain):
		return true
	case s.Card == globalplatform.CardLocked:
		return false
	case string(aid) == string(jpki.AID):
		return s.available()
	case string(aid) == string(jpki.AIDDomain):
		return !s.Domain.Locked()
	}
	return string(aid) == string(jpki.AIDAccessRules)
}

// available reports whether the JPKI instance is there and not locked.
func (s *elementState) available() bool {
	return s.Card == globalplatform.CardSecured && s.Application >= globalplatform.ApplicationSelectable && !s.Application.Locked()
}

// idle is what is current before anything was selected; it refuses everything.
type idle struct{}

func (idle) aid() []byte { return nil }
func (idle) enter(bool)  {}
func (idle) leave()      {}

func (idle) process(c iso7816.Command) ([]byte, error) {
	if c.CLA == 0 && c.INS == insSelect {
		return nil, iso7816.SWWrongParameters
	}
	return nil, iso7816.SWInstructionUnsupported
}
