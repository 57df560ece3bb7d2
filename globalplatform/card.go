package globalplatform

import (
	"encoding/binary"
	"io"

	"warifu/iso7816"
)

// maxSequence is the last value of the 24-bit secure channel sequence counter; a chip
// that reached it opens no further session.
const maxSequence = 1<<24 - 1

// Domain is what a security domain inside a chip opens sessions with.
type Domain struct {
	AID             []byte
	Keys            StaticKeys
	KeyVersion      byte
	Parameter       Parameter
	Diversification [10]byte
	// Sequence advances the domain's sequence counter in non-volatile memory and returns
	// its new value; used when Parameter says pseudo-random.
	Sequence func() (uint32, error)
	// Random gives card challenges otherwise.
	Random io.Reader
}

// Card is the on-card end of one session of a security domain: Process answers the two
// opening commands, Unwrap and Wrap everything after. Any failure closes it.
type Card struct {
	domain  Domain
	session *session
	host    [challengeLength]byte
	card    [challengeLength]byte
	opened  bool // INITIALIZE UPDATE answered, EXTERNAL AUTHENTICATE awaited
}

// NewCard returns a closed channel.
func NewCard(d Domain) *Card { return &Card{domain: d} }

// Close forgets the session, as power-off and SELECT do.
func (c *Card) Close() { *c = Card{domain: c.domain} }

// Level returns the security level, zero while no session is open.
func (c *Card) Level() Level {
	if c.session == nil {
		return 0
	}
	return c.session.level
}

// Open answers INITIALIZE UPDATE and EXTERNAL AUTHENTICATE.
func (c *Card) Open(cmd iso7816.Command) iso7816.Response {
	var data []byte
	var err error
	if cmd.INS == InsInitializeUpdate {
		data, err = c.initializeUpdate(cmd)
	} else {
		err = c.externalAuthenticate(cmd)
	}
	if err != nil {
		c.Close()
		if sw, ok := err.(iso7816.StatusWord); ok {
			return iso7816.Response{SW: sw}
		}
		return iso7816.Response{SW: iso7816.SWNoDiagnosis}
	}
	return iso7816.Response{Data: data, SW: iso7816.SWOK}
}

func (c *Card) initializeUpdate(cmd iso7816.Command) ([]byte, error) {
	c.Close()
	d := c.domain
	switch {
	case cmd.CLA != 0x80:
		return nil, iso7816.SWClassUnsupported
	case len(cmd.Data) != challengeLength:
		return nil, iso7816.SWWrongLength
	case cmd.P1 != 0 && cmd.P1 != d.KeyVersion || cmd.P2 != 0:
		return nil, iso7816.SWReferenceNotFound
	}
	copy(c.host[:], cmd.Data)
	sequence, err := c.challenge()
	if err != nil {
		return nil, err
	}
	s, err := newSession(d.Keys, c.host[:], c.card[:])
	if err != nil {
		return nil, err
	}
	c.session, c.opened = s, true
	out := append([]byte(nil), d.Diversification[:]...)
	out = append(out, d.KeyVersion, 0x03, byte(d.Parameter))
	out = append(out, c.card[:]...)
	out = append(out, s.cryptogram(constantCardCryptogram, c.host[:], c.card[:])...)
	return append(out, sequence...), nil
}

// challenge makes the card challenge and the three octets of the counter behind it, if any.
func (c *Card) challenge() ([]byte, error) {
	d := c.domain
	if d.Parameter&ParameterPseudoRandom == 0 {
		_, err := io.ReadFull(d.Random, c.card[:])
		return nil, err
	}
	n, err := d.Sequence()
	if err != nil {
		return nil, err
	}
	if n > maxSequence {
		return nil, iso7816.SWConditions
	}
	out, err := pseudoRandom(d.Keys.ENC, n, d.AID)
	if err != nil {
		return nil, err
	}
	copy(c.card[:], out)
	return binary.BigEndian.AppendUint32(nil, n)[1:], nil
}

// pseudoRandom is the card challenge that follows from the counter (Amendment D §6.2.2.1).
func pseudoRandom(enc Key, sequence uint32, aid []byte) ([]byte, error) {
	context := append(binary.BigEndian.AppendUint32(nil, sequence)[1:], aid...)
	return derive(enc, constantCardChallenge, context, challengeLength)
}

func (c *Card) externalAuthenticate(cmd iso7816.Command) error {
	level := Level(cmd.P1)
	switch {
	case !c.opened:
		return iso7816.SWConditions
	case cmd.CLA != 0x84:
		return iso7816.SWClassUnsupported
	case len(cmd.Data) != challengeLength+macLength:
		return iso7816.SWWrongLength
	case !level.Valid() || !c.domain.Parameter.allows(level) || cmd.P2 != 0:
		return iso7816.SWWrongParameters
	}
	s := c.session
	c.opened = false
	want := s.cryptogram(constantHostCryptogram, c.host[:], c.card[:])
	chaining := s.commandMAC(iso7816.Command{CLA: cmd.CLA, INS: cmd.INS, P1: cmd.P1, P2: cmd.P2, Data: cmd.Data[:challengeLength]})
	good := equal(want, cmd.Data[:challengeLength])
	if !equal(chaining[:macLength], cmd.Data[challengeLength:]) || !good {
		return iso7816.SWCryptogram
	}
	s.chaining, s.level = chaining, level
	return nil
}

// Unwrap checks and decrypts a command. Errors are status words; each closes the channel,
// as Amendment D §6.2.4 asks.
func (c *Card) Unwrap(cmd iso7816.Command) (iso7816.Command, error) {
	if c.Level() == 0 {
		c.Close()
		return cmd, iso7816.SWSecurityStatus
	}
	s := c.session
	n := len(cmd.Data) - macLength
	if cmd.CLA&0x0F != 0x04 || n < 0 || cmd.Extended {
		c.Close()
		return cmd, iso7816.SWSecurityStatus
	}
	received := cmd.Data[n:]
	cmd.Data = cmd.Data[:n]
	chaining := s.commandMAC(cmd)
	if !equal(chaining[:macLength], received) {
		c.Close()
		return cmd, iso7816.SWSecurityStatus
	}
	s.chaining = chaining
	s.counter++
	if s.level.has(levelDecryption) && n > 0 {
		plain, err := s.decrypt(s.counter, false, cmd.Data)
		if err != nil {
			c.Close()
			return cmd, iso7816.SWSecurityStatus
		}
		cmd.Data = plain
	}
	cmd.CLA &^= 0x04
	return cmd, nil
}

// Wrap protects the response to the command unwrapped last. Error status words go out
// bare, without data.
func (c *Card) Wrap(r iso7816.Response) iso7816.Response {
	s := c.session
	if c.Level() == 0 || !s.level.has(levelRMAC) {
		return r
	}
	if !protectedStatus(r.SW) {
		return iso7816.Response{SW: r.SW}
	}
	data := r.Data
	if s.level.has(levelREncrypt) && len(data) > 0 {
		data = s.encrypt(s.counter, true, data)
	}
	mac := s.responseMAC(s.chaining, data, r.SW)
	return iso7816.Response{Data: append(append([]byte(nil), data...), mac...), SW: r.SW}
}
