package globalplatform

import (
	"fmt"
	"io"

	"warifu/iso7816"
)

// Opening is what a chip answered to INITIALIZE UPDATE (Amendment D §7.1.1.6).
type Opening struct {
	Diversification [10]byte // names the chip, or its key set
	KeyVersion      byte
	Parameter       Parameter
	CardChallenge   [challengeLength]byte
	Cryptogram      [challengeLength]byte
	Sequence        uint32 // of 24 bits, only when the challenge is pseudo-random
}

// ParseOpening decodes the response data of INITIALIZE UPDATE.
func ParseOpening(data []byte) (Opening, error) {
	var o Opening
	if len(data) < 29 {
		return o, fmt.Errorf("%w: INITIALIZE UPDATE answered %d octets", ErrChannel, len(data))
	}
	copy(o.Diversification[:], data)
	o.KeyVersion, o.Parameter = data[10], Parameter(data[12])
	copy(o.CardChallenge[:], data[13:])
	copy(o.Cryptogram[:], data[21:])
	want := 29
	if o.Parameter&ParameterPseudoRandom != 0 {
		want = 32
	}
	if data[11] != 0x03 || o.Parameter&parameterS16 != 0 || len(data) != want {
		return o, fmt.Errorf("%w: not SCP03 in S8 mode", ErrChannel)
	}
	if want == 32 {
		o.Sequence = uint32(data[29])<<16 | uint32(data[30])<<8 | uint32(data[31])
	}
	return o, nil
}

// Host is the off-card end of one session: InitializeUpdate, Authenticate, then Wrap
// and Unwrap. Several commands may be wrapped before the first answer is unwrapped, in
// the same order. After any error the session is over. It is for one caller at a time.
type Host struct {
	domain    []byte // AID of the security domain
	challenge [challengeLength]byte
	session   *session
	awaiting  []awaited
	broken    error
}

// awaited remembers what a response is checked with.
type awaited struct {
	chaining []byte
	counter  uint64
}

// NewHost begins a session with the security domain; eight octets are read from random.
func NewHost(domain []byte, random io.Reader) (*Host, error) {
	h := &Host{domain: append([]byte(nil), domain...)}
	_, err := io.ReadFull(random, h.challenge[:])
	return h, err
}

// InitializeUpdate is the first command; version 0 lets the chip choose the key set.
func (h *Host) InitializeUpdate(version byte) iso7816.Command {
	return iso7816.Command{CLA: 0x80, INS: InsInitializeUpdate, P1: version, Data: h.challenge[:], Ne: iso7816.MaxShortNe}
}

// Authenticate checks the chip's answer to InitializeUpdate with the domain's keys and
// returns EXTERNAL AUTHENTICATE for the level. Its response is not protected.
func (h *Host) Authenticate(keys StaticKeys, o Opening, level Level) (iso7816.Command, error) {
	if !level.Valid() || !o.Parameter.allows(level) {
		return iso7816.Command{}, h.fail("level %02X with i=%02X", byte(level), byte(o.Parameter))
	}
	if o.Parameter&ParameterPseudoRandom != 0 {
		want, err := pseudoRandom(keys.ENC, o.Sequence, h.domain)
		if err != nil {
			return iso7816.Command{}, err
		}
		if !equal(want, o.CardChallenge[:]) {
			return iso7816.Command{}, h.fail("card challenge does not follow from the counter")
		}
	}
	s, err := newSession(keys, h.challenge[:], o.CardChallenge[:])
	if err != nil {
		return iso7816.Command{}, err
	}
	if !equal(s.cryptogram(constantCardCryptogram, h.challenge[:], o.CardChallenge[:]), o.Cryptogram[:]) {
		return iso7816.Command{}, h.fail("card cryptogram")
	}
	h.session = s
	c := iso7816.Command{CLA: 0x84, INS: InsExternalAuthenticate, P1: byte(level)}
	c.Data = s.cryptogram(constantHostCryptogram, h.challenge[:], o.CardChallenge[:])
	s.chaining = s.commandMAC(c)
	s.level = level
	c.Data = append(c.Data, s.chaining[:macLength]...)
	return c, nil
}

// Wrap protects a command of at most MaxPlainData octets at the session's level.
func (h *Host) Wrap(c iso7816.Command) (iso7816.Command, error) {
	if h.broken != nil {
		return iso7816.Command{}, h.broken
	}
	if h.session == nil || len(c.Data) > MaxPlainData || c.Extended || c.CLA&0x0C != 0 {
		return iso7816.Command{}, h.fail("command cannot be wrapped")
	}
	s := h.session
	s.counter++
	if s.level.has(levelDecryption) && len(c.Data) > 0 {
		c.Data = s.encrypt(s.counter, false, c.Data)
	}
	c.CLA |= 0x04
	s.chaining = s.commandMAC(c)
	c.Data = append(append([]byte(nil), c.Data...), s.chaining[:macLength]...)
	h.awaiting = append(h.awaiting, awaited{s.chaining, s.counter})
	return c, nil
}

// Unwrap checks and decrypts the response to the oldest command not yet answered. A
// status word that says error carries no MAC: it is returned as it came, to be
// believed as far as an unsigned word can be.
func (h *Host) Unwrap(r iso7816.Response) (iso7816.Response, error) {
	if h.broken != nil {
		return iso7816.Response{}, h.broken
	}
	if len(h.awaiting) == 0 {
		return iso7816.Response{}, h.fail("response without a command")
	}
	w := h.awaiting[0]
	h.awaiting = h.awaiting[1:]
	if !protectedStatus(r.SW) {
		return iso7816.Response{SW: r.SW}, nil
	}
	s := h.session
	if s.level.has(levelRMAC) {
		n := len(r.Data) - macLength
		if n < 0 || !equal(s.responseMAC(w.chaining, r.Data[:n], r.SW), r.Data[n:]) {
			return iso7816.Response{}, h.fail("R-MAC")
		}
		r.Data = r.Data[:n]
	}
	if s.level.has(levelREncrypt) && len(r.Data) > 0 {
		plain, err := s.decrypt(w.counter, true, r.Data)
		if err != nil {
			return iso7816.Response{}, h.fail("response encryption")
		}
		r.Data = plain
	}
	return r, nil
}

// fail ends the session.
func (h *Host) fail(format string, args ...any) error {
	h.broken = fmt.Errorf("%w: %s", ErrChannel, fmt.Sprintf(format, args...))
	h.session = nil
	return h.broken
}
