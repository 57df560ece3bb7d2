package status_test

import (
	"bufio"
	"bytes"
	"crypto"
	"io"
	"net"
	"net/http"
	"time"
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

// quiet is a connection on which nothing happens.
type quiet struct{ net.Conn }

// deadlines counts how often a deadline is set.
type deadlines struct {
	net.Conn
	set int
}

func (d *deadlines) SetDeadline(time.Time) error {
	d.set++
	return nil
}

// readRequest reads one request as net/http does and says how many octets are left behind it.
func readRequest(in []byte) (*http.Request, int, error) {
	b := bufio.NewReader(bytes.NewReader(in))
	r, err := http.ReadRequest(b)
	if err != nil {
		return nil, 0, err
	}
	rest, err := io.ReadAll(b)
	return r, len(rest), err
}
