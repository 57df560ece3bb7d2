package chip

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"warifu"
	"warifu/iso7816"
	"warifu/jpki"
)

// AccessRule lets the apps signed with one certificate reach one application on the
// internal interface (GlobalPlatform Secure Element Access Control). What no rule allows
// is refused.
type AccessRule struct {
	AID    []byte        `json:"aid"`
	Caller warifu.Digest `json:"caller"` // SHA-256 of the app's signing certificate
}

// PlatformCaller is the caller hash of the phone's own operating system, which enforces the
// rules and may reach everything.
var PlatformCaller [sha256.Size]byte

const maxRules = 16

// permits reports whether the caller may select the application.
func (s *elementState) permits(aid []byte, caller [sha256.Size]byte) bool {
	if caller == PlatformCaller {
		return true
	}
	return slices.ContainsFunc(s.Access, func(r AccessRule) bool { return r.Caller == caller && bytes.Equal(r.AID, aid) })
}

// accessMaster is the access rule application master (ARA-M): the platform reads from it
// which app may do what.
type accessMaster struct {
	element *Element
	rest    []byte
}

func (m *accessMaster) aid() []byte { return jpki.AIDAccessRules }
func (m *accessMaster) enter(bool)  { m.rest = nil }
func (m *accessMaster) leave()      { m.rest = nil }

// The tags of SEAC §4: all rules, the next part of them, the refresh tag.
const (
	tagAllRules   = 0xFF40
	tagNextRules  = 0xFF60
	tagRefresh    = 0xDF20
	tagStoreRule  = 0xF0
	tagDeleteRule = 0xF1
)

// maxRulesAnswer is how much of the rules goes into one answer; GET DATA [Next] has the rest.
const maxRulesAnswer = 256

// process implements instance.
func (m *accessMaster) process(c iso7816.Command) ([]byte, error) {
	if c.CLA != 0x80 || c.INS != insGetData {
		return nil, iso7816.SWInstructionUnsupported
	}
	s := m.element.state
	switch int(c.P1)<<8 | int(c.P2) {
	case tagRefresh:
		return iso7816.MakeTLV(tagRefresh, binary.BigEndian.AppendUint64(nil, s.RefreshTag)), nil
	case tagAllRules:
		var rules []byte
		for _, r := range s.Access {
			rules = append(rules, r.bytes()...)
		}
		m.rest = iso7816.MakeTLV(tagAllRules, rules)
		return m.next(), nil
	case tagNextRules:
		if len(m.rest) == 0 {
			return nil, iso7816.SWConditions
		}
		return m.next(), nil
	}
	return nil, iso7816.SWReferenceNotFound
}

func (m *accessMaster) next() []byte {
	n := min(len(m.rest), maxRulesAnswer)
	out := m.rest[:n]
	m.rest = m.rest[n:]
	return out
}

// bytes is the rule as a REF-AR-DO: the application and the caller's hash, and that APDU
// access is allowed always.
func (r AccessRule) bytes() []byte {
	return iso7816.MakeTLV(0xE2,
		iso7816.MakeTLV(0xE1, iso7816.MakeTLV(0x4F, r.AID), iso7816.MakeTLV(0xC1, r.Caller[:])),
		iso7816.MakeTLV(0xE3, iso7816.MakeTLV(0xD0, []byte{0x01})))
}

// storeRule takes Command-Store-REF-AR-DO or Command-Delete (SEAC §4.1), sent through the
// issuer domain. Every change moves the refresh tag.
func (e *Element) storeRule(object iso7816.TLV) error {
	if object.Tag == tagDeleteRule && len(object.Value) == 0 {
		return e.changeRules(func([]AccessRule) []AccessRule { return nil })
	}
	rule, err := parseRule(object.Value)
	if err != nil {
		return err
	}
	same := func(r AccessRule) bool { return r.Caller == rule.Caller && bytes.Equal(r.AID, rule.AID) }
	switch object.Tag {
	case tagStoreRule:
		return e.changeRules(func(rules []AccessRule) []AccessRule { return append(slices.DeleteFunc(rules, same), rule) })
	case tagDeleteRule:
		return e.changeRules(func(rules []AccessRule) []AccessRule { return slices.DeleteFunc(rules, same) })
	}
	return iso7816.SWWrongData
}

func (e *Element) changeRules(f func([]AccessRule) []AccessRule) error {
	return e.change(func(s *elementState) error {
		s.Access = f(s.Access)
		s.RefreshTag++
		if len(s.Access) > maxRules {
			return iso7816.SWNotEnoughMemory
		}
		return nil
	})
}

// parseRule reads a REF-AR-DO; only rules that allow are kept, since what none allows is
// refused anyway.
func parseRule(value []byte) (AccessRule, error) {
	var rule AccessRule
	body, err := iso7816.ParseTLV(value, 0xE2)
	if err != nil {
		return rule, iso7816.SWWrongData
	}
	parts, err := iso7816.ParseTLVs(body)
	if err != nil {
		return rule, iso7816.SWWrongData
	}
	reference, _ := iso7816.FindTLV(parts, 0xE1)
	fields, err := iso7816.ParseTLVs(reference)
	aid, _ := iso7816.FindTLV(fields, 0x4F)
	hash, _ := iso7816.FindTLV(fields, 0xC1)
	allow, _ := iso7816.FindTLV(parts, 0xE3)
	if err != nil || len(aid) < 5 || len(aid) > 16 || len(hash) != len(rule.Caller) || !bytes.Equal(allow, []byte{0xD0, 0x01, 0x01}) {
		return rule, iso7816.SWWrongData
	}
	rule.AID = aid
	copy(rule.Caller[:], hash)
	return rule, nil
}
