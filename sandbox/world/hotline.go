package world

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"

	"warifu"
)

// operatorsFile names the sandbox's operators. The token of each is "sandbox-" and the
// name: like every secret of the sandbox it protects nothing.
func operatorsFile() []byte {
	var b bytes.Buffer
	for _, o := range []struct{ name, role string }{
		{"aoi", "hotline"}, {"ken", "hotline"}, {"rin", "registrar"}, {"sei", "registrar"}, {"mio", "auditor"},
	} {
		fmt.Fprintf(&b, "[[operator]]\nname = %q\nrole = %q\ntoken_sha256 = %q\n", o.name, o.role, warifu.DigestOf([]byte("sandbox-"+o.name)).String())
	}
	return b.Bytes()
}

// believeReports hands the card bureau the key under which the server reports lost cards,
// as its operator would after the ceremony.
func (w *World) believeReports() error {
	file := w.serverConfig().ReportKeyFile()
	b, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(b)
	if block == nil {
		return warifu.Unavailable("world-damaged", "file", file)
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	own, is := key.(*ecdsa.PublicKey)
	if err != nil || !is {
		return warifu.Unavailable("world-damaged", "file", file).With(err)
	}
	w.Bureau.BelieveReports(own)
	return nil
}
