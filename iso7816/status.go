package iso7816

import "fmt"

// StatusWord is SW1-SW2 of a response. As an error it says what the chip refused;
// SWOK is never returned as one.
type StatusWord uint16

// The status words the chips of this house answer (ISO/IEC 7816-4 §5.6 and docs/card-facts.md §1.6).
const (
	SWOK                     StatusWord = 0x9000
	SWBlocked                StatusWord = 0x6984 // JICSAP: reference data blocked
	SWWrongLength            StatusWord = 0x6700
	SWChannelUnsupported     StatusWord = 0x6881
	SWSecureMessaging        StatusWord = 0x6882
	SWIncompatibleFile       StatusWord = 0x6981
	SWSecurityStatus         StatusWord = 0x6982
	SWMethodBlocked          StatusWord = 0x6983
	SWConditions             StatusWord = 0x6985
	SWNoCurrentEF            StatusWord = 0x6986
	SWSecureMessagingObjects StatusWord = 0x6988
	SWWrongData              StatusWord = 0x6A80
	SWFunctionUnsupported    StatusWord = 0x6A81
	SWFileNotFound           StatusWord = 0x6A82
	SWRecordNotFound         StatusWord = 0x6A83
	SWNotEnoughMemory        StatusWord = 0x6A84
	SWWrongParameters        StatusWord = 0x6A86
	SWReferenceNotFound      StatusWord = 0x6A88
	SWWrongOffset            StatusWord = 0x6B00
	SWInstructionUnsupported StatusWord = 0x6D00
	SWClassUnsupported       StatusWord = 0x6E00
	SWNoDiagnosis            StatusWord = 0x6F00
	SWMoreDataFollowing      StatusWord = 0x6310
	SWCryptogram             StatusWord = 0x6300 // GPCS: authentication of host cryptogram failed
	SWWarningEndOfFile       StatusWord = 0x6282
	swRetriesMask            StatusWord = 0xFFF0
	swRetries                StatusWord = 0x63C0
)

var swText = map[StatusWord]string{
	SWOK: "ok", SWBlocked: "reference data blocked", SWWrongLength: "wrong length",
	SWChannelUnsupported: "logical channel not supported", SWSecureMessaging: "secure messaging not supported",
	SWIncompatibleFile: "command incompatible with file structure", SWSecurityStatus: "security status not satisfied",
	SWMethodBlocked: "authentication method blocked", SWConditions: "conditions of use not satisfied",
	SWNoCurrentEF: "no current EF", SWSecureMessagingObjects: "secure messaging data objects incorrect",
	SWWrongData: "incorrect data", SWFunctionUnsupported: "function not supported", SWFileNotFound: "file or application not found",
	SWRecordNotFound: "record not found", SWNotEnoughMemory: "not enough memory", SWWrongParameters: "incorrect P1-P2",
	SWReferenceNotFound: "referenced data not found", SWWrongOffset: "offset outside the file",
	SWInstructionUnsupported: "instruction not supported", SWClassUnsupported: "class not supported",
	SWNoDiagnosis: "no precise diagnosis", SWCryptogram: "cryptogram not verified", SWWarningEndOfFile: "end of file reached",
}

// RetriesLeft makes the status word 63Cx.
func RetriesLeft(n int) StatusWord { return swRetries | StatusWord(n&0x0F) }

// Retries returns x of 63Cx, and whether s has that form.
func (s StatusWord) Retries() (int, bool) {
	if s&swRetriesMask != swRetries {
		return 0, false
	}
	return int(s & 0x0F), true
}

// Error implements error.
func (s StatusWord) Error() string {
	if n, ok := s.Retries(); ok {
		return fmt.Sprintf("status %04X: %d tries left", uint16(s), n)
	}
	if t, ok := swText[s]; ok {
		return fmt.Sprintf("status %04X: %s", uint16(s), t)
	}
	return fmt.Sprintf("status %04X", uint16(s))
}
