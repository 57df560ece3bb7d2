package world

import (
	"bytes"
	"fmt"

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
