package globalplatform

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"

	"warifu/iso7816"
)

// Level is the security level of a session: the P1 of EXTERNAL AUTHENTICATE
// (Amendment D §7.1.2.1).
type Level byte

// The levels; each contains the ones before it but for LevelCommand, which leaves
// responses alone.
const (
	LevelMAC      Level = 0x01 // C-MAC
	LevelCommand  Level = 0x03 // C-MAC and C-DECRYPTION
	LevelRMAC     Level = 0x11 // C-MAC and R-MAC
	LevelResponse Level = 0x13 // C-MAC, C-DECRYPTION and R-MAC
	LevelFull     Level = 0x33 // all of these and R-ENCRYPTION
)

const (
	levelDecryption Level = 0x02
	levelRMAC       Level = 0x10
	levelREncrypt   Level = 0x20
)

// Valid reports whether l is a combination Amendment D allows.
func (l Level) Valid() bool {
	switch l {
	case LevelMAC, LevelCommand, LevelRMAC, LevelResponse, LevelFull:
		return true
	}
	return false
}

func (l Level) has(bit Level) bool { return l&bit == bit }

// Parameter is the i of SCP03 (Amendment D §5.1): what a chip's channel can do.
type Parameter byte

// The bits of Parameter, and what a full implementation in S8 mode says.
const (
	ParameterPseudoRandom Parameter = 0x10 // the card challenge follows from a counter
	ParameterRMAC         Parameter = 0x20
	ParameterREncryption  Parameter = 0x60 // and R-MAC
	ParameterFull         Parameter = 0x70
	parameterS16          Parameter = 0x01
)

// allows reports whether a chip with parameter i speaks level l.
func (i Parameter) allows(l Level) bool {
	if l.has(levelREncrypt) {
		return i&ParameterREncryption == ParameterREncryption
	}
	return !l.has(levelRMAC) || i&ParameterRMAC != 0
}

// StaticKeys are the three keys of a security domain. Bits is their length, 128, 192 or
// 256; zero means 128. DEK is not used to open a session.
type StaticKeys struct {
	ENC, MAC, DEK Key
	Bits          int
}

func (k StaticKeys) octets() (int, error) {
	switch k.Bits {
	case 0:
		return 16, nil
	case 128, 192, 256:
		return k.Bits / 8, nil
	}
	return 0, fmt.Errorf("globalplatform: static keys of %d bits", k.Bits)
}

const (
	challengeLength = 8
	macLength       = 8
	// MaxPlainData is the longest command data that still fits a short APDU once it is
	// padded, encrypted and followed by its MAC.
	MaxPlainData = 239
)

// ErrChannel is wrapped by every error that ends a secure channel: a cryptogram or MAC
// that does not fit, or octets out of form.
var ErrChannel = errors.New("secure channel broken")

// session is what both ends hold once the challenges are exchanged.
type session struct {
	enc, mac, rmac *AESKey
	level          Level
	chaining       []byte // the full C-MAC of the last command
	counter        uint64 // of commands since EXTERNAL AUTHENTICATE
}

// newSession derives the session keys from both challenges (Amendment D §6.2.1).
func newSession(keys StaticKeys, host, card []byte) (*session, error) {
	octets, err := keys.octets()
	if err != nil {
		return nil, err
	}
	context := append(append([]byte(nil), host...), card...)
	s := &session{chaining: make([]byte, blockSize)}
	for _, d := range []struct {
		from     Key
		constant byte
		to       **AESKey
	}{
		{keys.ENC, constantSessionENC, &s.enc}, {keys.MAC, constantSessionMAC, &s.mac}, {keys.MAC, constantSessionRMAC, &s.rmac},
	} {
		octets, err := derive(d.from, d.constant, context, octets)
		if err != nil {
			return nil, err
		}
		if *d.to, err = NewAESKey(octets); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// cryptogram is what one end proves its keys with (Amendment D §6.2.2).
func (s *session) cryptogram(constant byte, host, card []byte) []byte {
	out, _ := derive(s.mac, constant, append(append([]byte(nil), host...), card...), challengeLength)
	return out
}

// commandMAC chains the C-MAC over a command whose data is as it goes over the wire,
// MAC left out (Amendment D §6.2.4). The class has the secure-messaging bit and no
// logical channel.
func (s *session) commandMAC(c iso7816.Command) []byte {
	message := append([]byte(nil), s.chaining...)
	message = append(message, c.CLA&0xF0|0x04, c.INS, c.P1, c.P2, byte(len(c.Data)+macLength))
	return s.mac.mac(append(message, c.Data...))
}

// responseMAC is the R-MAC (Amendment D §6.2.5).
func (s *session) responseMAC(chaining, data []byte, sw iso7816.StatusWord) []byte {
	message := append(append([]byte(nil), chaining...), data...)
	return s.rmac.mac(append(message, byte(sw>>8), byte(sw)))[:macLength]
}

// iv encrypts the counter; responses set the highest bit (Amendment D §6.2.6, §6.2.7).
func (s *session) iv(counter uint64, response bool) []byte {
	out := make([]byte, blockSize)
	binary.BigEndian.PutUint64(out[8:], counter)
	if response {
		out[0] = 0x80
	}
	s.enc.block.Encrypt(out, out)
	return out
}

func (s *session) encrypt(counter uint64, response bool, plain []byte) []byte {
	out := append(append([]byte(nil), plain...), 0x80)
	for len(out)%blockSize != 0 {
		out = append(out, 0)
	}
	s.enc.encryptCBC(s.iv(counter, response), out)
	return out
}

func (s *session) decrypt(counter uint64, response bool, sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || len(sealed)%blockSize != 0 {
		return nil, fmt.Errorf("%w: %d encrypted octets", ErrChannel, len(sealed))
	}
	out := append([]byte(nil), sealed...)
	s.enc.decryptCBC(s.iv(counter, response), out)
	unpadded := bytes.TrimRight(out, "\x00")
	if n := len(unpadded); n == 0 || unpadded[n-1] != 0x80 || len(out)-n >= blockSize {
		return nil, fmt.Errorf("%w: padding", ErrChannel)
	}
	return unpadded[:len(unpadded)-1], nil
}

// protectedStatus reports whether a response with sw carries data and R-MAC: success
// and warnings do, errors do not (Amendment D §6.2.5).
func protectedStatus(sw iso7816.StatusWord) bool {
	return sw == iso7816.SWOK || sw>>8 == 0x62 || sw>>8 == 0x63
}

func equal(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
