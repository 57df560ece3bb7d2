package desk

import (
	"encoding/hex"
	"io"
	"mime"
	"net/http"
	"strings"

	"warifu"
	"warifu/iso7816"
	"warifu/sandbox/doorway"
)

// apdu carries one APDU to a chip over its reader interface: octets for octets
// (application/octet-stream), or hexadecimal for hexadecimal (text/plain).
func (d *Desk) apdu(w http.ResponseWriter, r *http.Request) {
	command, inHex, err := commandOf(w, r)
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	held, err := d.config.Chips.Hold(r.Context(), r.PathValue("id"))
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	response, err := held.Transmit(r.Context(), command)
	held.Release()
	if err != nil {
		doorway.Refuse(w, warifu.Unavailable("chip-silent").With(err))
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if inHex {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, strings.ToUpper(hex.EncodeToString(response))+"\n")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(response)
}

func commandOf(w http.ResponseWriter, r *http.Request) (command []byte, inHex bool, err error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	body, err := doorway.Octets(w, r, 2*iso7816.MaxCommand+2)
	switch {
	case err != nil:
		return nil, false, err
	case kind == "application/octet-stream":
		return body, false, nil
	case kind == "text/plain":
		command, err = hex.DecodeString(strings.Join(strings.Fields(string(body)), ""))
		if err == nil {
			return command, true, nil
		}
	}
	return nil, false, warifu.Invalid("sandbox-request-malformed").With(err)
}

// atr tells a chip's answer to reset, octets as they are.
func (d *Desk) atr(w http.ResponseWriter, r *http.Request) {
	held, err := d.config.Chips.Hold(r.Context(), r.PathValue("id"))
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	atr := held.ATR()
	held.Release()
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(atr)
}

// power takes a chip's power away: what was verified is so no more.
func (d *Desk) power(w http.ResponseWriter, r *http.Request) {
	held, err := d.config.Chips.Hold(r.Context(), r.PathValue("id"))
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	held.PutAway()
	w.WriteHeader(http.StatusNoContent)
}
