package status_test

import (
	"crypto"
	"io"
)

// signing counts.
type signing struct {
	by *counted
	crypto.Signer
}

func (s signing) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	s.by.signed.Add(1)
	return s.Signer.Sign(random, digest, o)
}

// waiting signs when it may.
type waiting struct {
	crypto.Signer
	may <-chan struct{}
}

func (s waiting) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	<-s.may
	return s.Signer.Sign(random, digest, o)
}

// failing never signs.
type failing struct{ crypto.Signer }

func (failing) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, errSign }
