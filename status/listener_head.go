package status

import "bytes"

// What the beginning of what a connection sent is.
type headKind int

const (
	headUnfinished headKind = iota // it may become a plain GET
	headPlain
	headOther
)

// Where an octet may stand in a plain head.
const (
	inPath = 1 << iota
	inName
	inValue
	inHost
)

var octets = func() (of [256]byte) {
	for c := range of {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-'
		if letter || c == '_' {
			of[c] |= inName
		}
		if letter || c == '.' || c == ':' || c == '[' || c == ']' {
			of[c] |= inHost
		}
		if c >= ' ' && c < 0x7F || c == '\t' {
			of[c] |= inValue
		}
		if c > ' ' && c < 0x7F && c != '?' && c != '#' && c != '\\' {
			of[c] |= inPath
		}
	}
	return of
}()

// plainGET reads the head of a request that is a GET of HTTP/1.1 with nothing in it that
// asks for anything special, and returns its path and its length. It is strict: whatever it is in doubt about
// is net/http's to read, and to refuse.
func plainGET(in []byte) (path []byte, size int, what headKind) {
	const method, version = "GET /", " HTTP/1.1\r\n"
	if n := min(len(in), len(method)); string(in[:n]) != method[:n] {
		return nil, 0, headOther
	}
	line := bytes.IndexByte(in, '\n')
	if line < 0 {
		return nil, 0, headUnfinished
	}
	path, ok := bytes.CutSuffix(in[:line+1], []byte(version))
	if !ok {
		return nil, 0, headOther
	}
	path = path[len(method)-1:]
	for _, c := range path {
		if octets[c]&inPath == 0 {
			return nil, 0, headOther
		}
	}
	host := false
	for at := line + 1; ; {
		n := bytes.IndexByte(in[at:], '\n')
		if n < 0 {
			return nil, 0, headUnfinished
		}
		field := in[at : at+n]
		at += n + 1
		if len(field) == 0 || field[len(field)-1] != '\r' {
			return nil, 0, headOther
		}
		if len(field) == 1 {
			if !host { // RFC 9112 §3.2
				return nil, 0, headOther
			}
			return path, at, headPlain
		}
		name, value, found := bytes.Cut(field[:len(field)-1], []byte{':'})
		if !found || !harmless(name, value) {
			return nil, 0, headOther
		}
		if len(name) == 4 && (name[0] == 'h' || name[0] == 'H') && bytes.EqualFold(name, []byte("host")) {
			if host || !plainHost(value) {
				return nil, 0, headOther
			}
			host = true
		}
	}
}

// harmless reports whether a field changes nothing about the answer and keeps the rules
// of RFC 9110 §5 in their plainest form.
func harmless(name, value []byte) bool {
	if len(name) == 0 {
		return false
	}
	for _, c := range name {
		if octets[c]&inName == 0 {
			return false
		}
	}
	for _, c := range value {
		if octets[c]&inValue == 0 {
			return false
		}
	}
	switch name[0] | 0x20 {
	case 'c': // Connection, Content-Length and the like; of these Cookie and Cache-Control are common
		return bytes.EqualFold(name, []byte("cache-control")) || bytes.EqualFold(name, []byte("cookie")) ||
			bytes.EqualFold(name, []byte("connection")) && bytes.EqualFold(bytes.TrimSpace(value), []byte("keep-alive"))
	case 'e': // Expect
		return false
	case 'i': // If-None-Match and the like
		return false
	case 'r': // Range
		return bytes.EqualFold(name, []byte("referer"))
	case 't': // Transfer-Encoding, TE, Trailer
		return false
	case 'u': // Upgrade
		return bytes.EqualFold(name, []byte("user-agent"))
	}
	return true
}

// plainHost reports whether a Host is made of the characters that every host is made of.
func plainHost(value []byte) bool {
	for _, c := range bytes.TrimSpace(value) {
		if octets[c]&inHost == 0 {
			return false
		}
	}
	return true
}
