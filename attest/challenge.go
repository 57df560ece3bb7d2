package attest

import (
	"crypto/subtle"
	"encoding/binary"
	"io"
	"time"

	"warifu"
)

// ChallengeLength is the length of a challenge in octets: 8 of time (microseconds
// since 1970, big-endian), 8 random, 16 of a MAC over both and the element. The
// time inside lets the certification authority see for itself how old an
// application is, whatever the registration database says.
const ChallengeLength = 32

// MAC computes a message authentication code of at least 16 octets.
type MAC func(message []byte) ([]byte, error)

const challengeLabel = "warifu-challenge-v1"

// NewChallenge makes a challenge for the element at the instant now.
func NewChallenge(mac MAC, random io.Reader, element warifu.ElementID, now time.Time) ([]byte, error) {
	c := make([]byte, 16, ChallengeLength)
	binary.BigEndian.PutUint64(c, uint64(now.UnixMicro()))
	if _, err := io.ReadFull(random, c[8:16]); err != nil {
		return nil, err
	}
	tag, err := mac(challengeMessage(c, element))
	if err != nil {
		return nil, err
	}
	return append(c, tag[:16]...), nil
}

// CheckChallenge returns the instant at which c was made for the element, or
// Refused "challenge-invalid". Whether that is too long ago is the caller's rule.
func CheckChallenge(mac MAC, c []byte, element warifu.ElementID) (time.Time, error) {
	if len(c) != ChallengeLength {
		return time.Time{}, warifu.Refused("challenge-invalid")
	}
	tag, err := mac(challengeMessage(c[:16], element))
	if err != nil {
		return time.Time{}, err
	}
	if subtle.ConstantTimeCompare(tag[:16], c[16:]) != 1 {
		return time.Time{}, warifu.Refused("challenge-invalid")
	}
	return time.UnixMicro(int64(binary.BigEndian.Uint64(c))).UTC(), nil
}

func challengeMessage(head []byte, element warifu.ElementID) []byte {
	out := append(make([]byte, 0, len(challengeLabel)+1+16+len(element)), challengeLabel...)
	return append(append(append(out, 0), head...), element[:]...)
}
