package chip

import (
	"crypto"
	"crypto/rand"

	"warifu/iso7816"
	"warifu/jpki"
)

// Instructions of ISO/IEC 7816-4, of its part 8 and of JICSAP that applications answer.
const (
	insVerify           = 0x20
	insChangeReference  = 0x24
	insComputeSignature = 0x2A
	insChangeKey        = 0x32 // JICSAP CHANGE KEY
	insManageChannel    = 0x70
	insGetChallenge     = 0x84
	insInternalAuth     = 0x88
	insTerminal         = 0xA2 // a terminal's card-verifiable certificate
	insSelect           = 0xA4
	insReadBinary       = 0xB0
	insReadRecord       = 0xB2
	insGetData          = 0xCA
	insLastCommand      = 0xFC // an iPhone's "last-command indicator"
)

// application is a JICSAP application: a directory of elementary files, a current
// file and a security status. What distinguishes one application from another is
// data.
type application struct {
	name  []byte
	files []*file
	// change is the instruction that changes a verified PIN, or 0 where none does.
	change byte
	// defaultKey signs `80 2A 00 00` without a file and without a PIN, where there is one.
	defaultKey func() crypto.Signer
	// terminals checks a terminal's certificate (docs/card-facts.md §1.5), where there are any.
	terminals *terminalGate
	// save makes the chip's state durable.
	save func() error

	current  *file
	verified map[*reference]uint64 // at which epoch each was verified
}

func (a *application) aid() []byte { return a.name }

// enter implements instance. Selecting the same application again keeps what was
// verified; only the current file is forgotten.
func (a *application) enter(again bool) {
	a.current = nil
	if !again {
		a.forget()
	}
}

func (a *application) leave() {
	a.current = nil
	a.forget()
}

func (a *application) forget() {
	clear(a.verified)
	if a.terminals != nil {
		a.terminals.reset()
	}
}

// command is a class and an instruction.
type command struct{ cla, ins byte }

var commands = map[command]func(*application, iso7816.Command) ([]byte, error){
	{0x00, insSelect}:           (*application).selectFile,
	{0x00, insReadBinary}:       (*application).readBinary,
	{0x00, insReadRecord}:       (*application).readRecord,
	{0x00, insVerify}:           (*application).verify,
	{0x00, insChangeReference}:  (*application).changeReference,
	{0x80, insChangeKey}:        (*application).changeKey,
	{0x00, insGetChallenge}:     (*application).getChallenge,
	{0x00, insInternalAuth}:     (*application).internalAuthenticate,
	{0x80, insComputeSignature}: (*application).computeSignature,
	{0x80, insTerminal}:         (*application).terminalCertificate,
	{0x80, insLastCommand}:      (*application).lastCommand,
}

// process implements instance.
func (a *application) process(c iso7816.Command) ([]byte, error) {
	if err := plainClass(c.CLA); err != nil {
		return nil, err
	}
	handle, ok := commands[command{c.CLA, c.INS}]
	if !ok {
		return nil, iso7816.SWInstructionUnsupported
	}
	return handle(a, c)
}

// plainClass refuses classes other than 00 and 80: secure messaging with 6882, the
// rest with 6E00 (docs/card-facts.md §1.6).
func plainClass(cla byte) error {
	switch {
	case cla == 0x00 || cla == 0x80:
		return nil
	case cla&0x70 == 0 && cla&0x0C != 0:
		return iso7816.SWSecureMessaging
	}
	return iso7816.SWClassUnsupported
}

// file finds an elementary file by identifier.
func (a *application) file(id jpki.FileID) *file {
	for _, f := range a.files {
		if f.id == id {
			return f
		}
	}
	return nil
}

// short finds an elementary file by short identifier.
func (a *application) short(sfi byte) *file {
	for _, f := range a.files {
		if f.id.Short() == sfi {
			return f
		}
	}
	return nil
}

// referenced is the file that P2 of VERIFY, CHANGE and COMPUTE SIGNATURE names: 80 is
// the current one, 80|SFI makes another current.
func (a *application) referenced(p2 byte) (*file, error) {
	if p2&0xE0 != 0x80 {
		return nil, iso7816.SWWrongParameters
	}
	if sfi := p2 & 0x1F; sfi != 0 {
		f := a.short(sfi)
		if f == nil {
			return nil, iso7816.SWFileNotFound
		}
		a.current = f
	}
	if a.current == nil {
		return nil, iso7816.SWNoCurrentEF
	}
	return a.current, nil
}

// opened reports whether the guards let the holder of the present status through.
func (a *application) opened(guards []*reference) bool {
	for _, g := range guards {
		if a.isVerified(g) {
			return true
		}
	}
	return len(guards) == 0
}

func (a *application) isVerified(r *reference) bool {
	epoch, ok := a.verified[r]
	return ok && epoch == r.epoch && !r.blocked()
}

func (a *application) setVerified(r *reference, yes bool) {
	if !yes {
		delete(a.verified, r)
		return
	}
	if a.verified == nil {
		a.verified = make(map[*reference]uint64)
	}
	a.verified[r] = r.epoch
}

// selectFile answers SELECT for elementary files (docs/card-facts.md §1.5, §1.6).
func (a *application) selectFile(c iso7816.Command) ([]byte, error) {
	if c.P1 == 0x00 && c.P2 == 0x00 && len(c.Data) == 0 {
		return nil, nil // answered, without effect
	}
	if (c.P1 != 0x02 && c.P1 != 0x00) || (c.P2 != 0x0C && c.P2 != 0x00) {
		return nil, iso7816.SWWrongParameters
	}
	if len(c.Data) != 2 {
		return nil, iso7816.SWWrongLength
	}
	f := a.file(jpki.FileID(c.Data[0])<<8 | jpki.FileID(c.Data[1]))
	if f == nil {
		return nil, iso7816.SWFileNotFound
	}
	a.current = f
	if c.P2 == 0x0C || c.Ne == 0 {
		return nil, nil
	}
	return iso7816.MakeTLV(0x6F, iso7816.MakeTLV(0x83, c.Data)), nil
}

// getChallenge answers 1 to 256 random octets; the extended form is refused
// (docs/card-facts.md §1.5).
func (a *application) getChallenge(c iso7816.Command) ([]byte, error) {
	switch {
	case c.P1 != 0 || c.P2 != 0:
		return nil, iso7816.SWWrongParameters
	case c.Extended:
		return nil, iso7816.SWConditions
	case len(c.Data) != 0 || c.Ne == 0:
		return nil, iso7816.SWWrongLength
	}
	challenge := make([]byte, c.Ne)
	_, _ = rand.Read(challenge) // never fails (crypto/rand)
	return challenge, nil
}

// lastCommand is a command that iPhones know and cards refuse this way (docs/card-facts.md §4).
func (a *application) lastCommand(iso7816.Command) ([]byte, error) {
	return nil, iso7816.SWWrongLength
}
