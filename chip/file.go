package chip

import (
	"crypto"

	"warifu/iso7816"
	"warifu/jpki"
)

// structure is what an elementary file is (ISO/IEC 7816-4 §7.2.1; the internal ones are
// JICSAP's IEF).
type structure uint8

const (
	transparent structure = iota // octets: READ BINARY
	linear                       // records: READ RECORD
	secretFile                   // a PIN or password: VERIFY
	keyFile                      // a private key: COMPUTE SIGNATURE, INTERNAL AUTHENTICATE
)

// file is an elementary file of an application. Contents are functions, so that a
// slot that changes on a living chip is read as it is now.
type file struct {
	id        jpki.FileID
	structure structure
	content   func() []byte        // transparent
	records   [][]byte             // linear, numbered from 1
	secret    *reference           // secretFile
	key       func() crypto.Signer // keyFile; nil result: no key there, or not (yet) allowed to sign
	internal  bool                 // keyFile: for INTERNAL AUTHENTICATE rather than COMPUTE SIGNATURE
	// guards open the file, or the key's use: any one of them verified is enough; none
	// leaves it free.
	guards []*reference
}

// fixed is the content of a file that never changes.
func fixed(b []byte) func() []byte { return func() []byte { return b } }

// slice is what READ BINARY answers: at most ne octets from offset.
func slice(b []byte, offset, ne int) ([]byte, error) {
	if offset >= len(b) {
		return nil, iso7816.SWWrongOffset
	}
	return b[offset:min(len(b), offset+ne)], nil
}
