package trace

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"warifu/globalplatform"
	"warifu/jpki"
)

// prefix begins the key of every sentence that says what an APDU is.
const prefix = "trace.apdu."

// Meaning says what an exchange is: the key of a sentence and what it names. Of a command's
// data it reads the name of a file or an application alone, which are no secrets.
func Meaning(command, response []byte) (key string, params map[string]string) {
	if len(command) < 4 {
		return prefix + "short", nil
	}
	class, ins, p1, p2 := command[0], command[1], command[2], command[3]
	params = map[string]string{}
	switch {
	case class&0x04 != 0: // secure messaging (GPCS §11.1.4)
		if ins == globalplatform.InsExternalAuthenticate {
			return prefix + "external-authenticate", params
		}
		switch ins {
		case globalplatform.InsStoreData, globalplatform.InsGetData, globalplatform.InsInstall:
			return prefix + "secure-" + hex.EncodeToString([]byte{ins}), params
		}
		return prefix + "secure", params
	case ins == 0xA4 && p1 == 0x04:
		return prefix + application(data(command)), params
	case ins == 0xA4:
		return prefix + file(data(command)), params
	case ins == 0x20 && len(command) <= 5:
		return tries(response, params)
	case ins == 0x20:
		return verified(response, params)
	case ins == 0xB0:
		return prefix + "read", params
	case class == 0x80 && ins == 0x2A:
		return prefix + "compute", params
	case ins == 0x2A && p1 == 0x9E:
		return prefix + "compute", params
	case ins == 0x24:
		return prefix + "change", params
	case ins == 0x2C:
		return prefix + "reset-retry", params
	case ins == 0xC0:
		return prefix + "get-response", params
	case ins == globalplatform.InsInitializeUpdate:
		return prefix + "initialize-update", params
	case ins == globalplatform.InsExternalAuthenticate:
		return prefix + "external-authenticate", params
	}
	if name := own[ins]; class&0x80 != 0 && name != "" {
		return prefix + name, params
	}
	params["ins"], params["p"] = hex.EncodeToString([]byte{ins}), hex.EncodeToString([]byte{p1, p2})
	return prefix + "other", params
}

// own are the instructions of the application on a phone (docs/secure-element.md §4).
var own = map[byte]string{
	jpki.InsGenerate: "generate", jpki.InsAttest: "attest", jpki.InsChain: "chain", jpki.InsSetSecret: "set-secret", jpki.InsSecretsSet: "secrets-set",
	jpki.InsAbandon: "abandon", jpki.InsResetSecret: "reset-secret", jpki.InsSlots: "slots", jpki.InsDeviceRequest: "device-request",
	jpki.InsKill: "kill", jpki.InsCleanProof: "clean-proof", jpki.InsNextTicketKey: "next-ticket-key",
	globalplatform.InsGetData: "get-data", globalplatform.InsStoreData: "store-data",
}

// data is what a short command carries.
func data(command []byte) []byte {
	if len(command) < 6 || len(command) < 5+int(command[4]) {
		return nil
	}
	return command[5 : 5+int(command[4])]
}

func application(name []byte) string {
	switch {
	case bytes.Equal(name, jpki.AID):
		return "select-jpki"
	case bytes.Equal(name, jpki.AIDDomain):
		return "select-domain"
	case bytes.Equal(name, jpki.AIDIssuerDomain), bytes.Equal(name, jpki.AIDAccessRules):
		return "select-platform"
	}
	return "select-application"
}

// files are those of the JPKI application (docs/card-facts.md §1.3).
var files = map[jpki.FileID]string{
	jpki.FileSignatureCertificate: "signature-certificate", jpki.FileSignatureCA: "signature-ca", jpki.FileToken: "token", jpki.FilePresence: "presence",
	jpki.FileAuthenticationCertificate: "authentication-certificate", jpki.FileAuthenticationCA: "authentication-ca",
	jpki.FileAuthenticationKey: "authentication-key", jpki.FileAuthenticationPIN: "authentication-pin",
	jpki.FileSignatureKey: "signature-key", jpki.FileSignaturePassword: "signature-password",
}

func file(name []byte) string {
	if len(name) == 2 {
		if known := files[jpki.FileID(binary.BigEndian.Uint16(name))]; known != "" {
			return "file-" + known
		}
	}
	return "file"
}

// word is the status word; 0 where the chip did not answer.
func word(response []byte) uint16 {
	if len(response) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(response[len(response)-2:])
}

func tries(response []byte, params map[string]string) (string, map[string]string) {
	if w := word(response); w&0xFFF0 == 0x63C0 {
		params["n"] = strconv.Itoa(int(w & 0x0F))
		return prefix + "tries", params
	}
	return prefix + "tries-asked", params
}

func verified(response []byte, params map[string]string) (string, map[string]string) {
	switch w := word(response); {
	case w == 0x9000:
		return prefix + "verify-good", params
	case w&0xFFF0 == 0x63C0:
		params["n"] = strconv.Itoa(int(w & 0x0F))
		return prefix + "verify-wrong", params
	case w == 0x6983 || w == 0x6984:
		return prefix + "verify-locked", params
	}
	return prefix + "verify", params
}
