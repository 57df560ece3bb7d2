package iso7816

import "fmt"

// Redact is all that a log may hold of an exchange: the first five octets of the
// command, the lengths of both messages and the status word. Data is never shown,
// since it may be a PIN, an attribute or a signature. An answer of nil (the chip was
// torn away) reads "-". The fifth octet is shown only where it is a length.
func Redact(command, response []byte) string {
	return RedactCommand(command) + " → " + redactResponse(response)
}

// RedactCommand is the command's half of Redact.
func RedactCommand(command []byte) string {
	shown := command
	if len(shown) > 5 {
		shown = shown[:5]
	}
	return fmt.Sprintf("%X (%d)", shown, len(command))
}

func redactResponse(response []byte) string {
	if len(response) < 2 {
		return "-"
	}
	return fmt.Sprintf("(%d) %X", len(response)-2, response[len(response)-2:])
}
