package terminal

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"warifu"
	"warifu/iso7816"
	"warifu/jpki"
	"warifu/sandbox/doctor"
)

// The themes, in the order in which they are tried.
const (
	themeHonest      = "honest"
	themeTorn        = "torn"
	themeStatus      = "status"
	themeAnswer      = "answer"
	themeCertificate = "certificate"
	themeSecret      = "secret"
)

// unused is the status word of a key that cannot be used (ISO/IEC 7816-4 §5.6).
var unused = []byte{0x69, 0x84}

func (x *Examination) cases() []doctor.Case {
	return slices.Concat(x.honestCases(), x.tornCases(), x.statusCases(), x.answerCases(), x.certificateCases(), x.secretCases())
}

func (x *Examination) honestCases() []doctor.Case {
	return []doctor.Case{
		x.touches("good-chip", themeHonest, doctor.Must, "CARD-FACTS §1; REQUIREMENTS B.6, B.7", Good, nil, accepts),
		x.touches("other-chip", themeHonest, doctor.Must, "REQUIREMENTS B.6", Other, nil, accepts),
		x.touches("slow-chip", themeHonest, doctor.Must, "ISO/IEC 7816-3 §10.2 (waiting time)", Good, slow(x.Slow), accepts),
		x.touches("short-reads", themeHonest, doctor.Must, "ISO/IEC 7816-4 §11.3.3", Good, shortReads, accepts),
		x.wrongClass(),
	}
}

// shortReads is a chip that returns at most 100 octets at a time.
func shortReads() twist {
	const most = 100
	return func(_ context.Context, _ int, s step, command []byte, sound answer) ([]byte, error) {
		answered, err := sound()
		if s == stepRead && err == nil && len(answered) > most+2 {
			answered = append(bytes.Clone(answered[:most]), 0x90, 0x00)
		}
		return answered, err
	}
}

// wrongClass touches a phone where a card was announced, and the reverse.
func (x *Examination) wrongClass() doctor.Case {
	return doctor.Case{ID: "wrong-class", Theme: themeHonest, Level: doctor.Must, Clause: "REQUIREMENTS R28; CARD-FACTS §1.4", Run: func(ctx context.Context) doctor.Finding {
		if len(x.Classes) < 2 {
			return doctor.Skip(doctor.Seen("reader-one-class"))
		}
		return x.each(ctx, Good, func(chip Chip) doctor.Finding {
			other := "card"
			if chip.Class == other {
				other = "phone"
			}
			s, err := x.try(ctx, chip, nil, other)
			return judge(s, err, []check{refuses, func(s seen) *doctor.Note {
				if s.count(stepVerify) > 0 {
					return noted("reader-pin-to-wrong-chip")
				}
				return nil
			}})
		})
	}}
}

func (x *Examination) tornCases() []doctor.Case {
	torn := func(id string, t func() twist) doctor.Case {
		return x.touches(id, themeTorn, doctor.Must, "ISO/IEC 7816-4 §5.1; REQUIREMENTS B.6", Good, t, refuses)
	}
	return []doctor.Case{
		{ID: "no-chip", Theme: themeTorn, Level: doctor.Must, Clause: "REQUIREMENTS B.6", Run: func(ctx context.Context) doctor.Finding {
			s, err := x.try(ctx, Chip{PIN: "0000", Class: x.Classes[0]}, nil, "")
			return judge(s, err, []check{refuses})
		}},
		torn("torn-at-select", on(stepApplication, tornNow)),
		torn("torn-at-certificate", on(stepRead, tornNow)),
		torn("torn-at-pin", on(stepVerify, tornNow)),
		torn("torn-after-pin", tornAfter(stepVerify)),
		torn("torn-at-signature", on(stepSign, tornNow)),
		torn("silent-at-select", on(stepApplication, silent)),
		torn("silent-at-signature", on(stepSign, silent)),
	}
}

// tornNow is torn, as a variable of the twist's own type.
var tornNow twist = torn

func (x *Examination) statusCases() []doctor.Case {
	signed := func(s seen) *doctor.Note {
		if s.after(stepVerify, stepSign) {
			return noted("reader-signed-anyway")
		}
		return nil
	}
	once := func(s seen) *doctor.Note {
		if s.count(stepVerify) > 1 {
			return noted("reader-tried-again")
		}
		return nil
	}
	status := func(id string, clause string, t func() twist, checks ...check) doctor.Case {
		return x.touches(id, themeStatus, doctor.Must, clause, Good, t, append([]check{refuses}, checks...)...)
	}
	return []doctor.Case{
		status("application-missing", "ISO/IEC 7816-4 §11.2.2 (6A82)", on(stepApplication, says(0x6A, 0x82))),
		status("pin-wrong", "ISO/IEC 7816-4 §11.6.6 (63CX)", on(stepVerify, says(0x63, 0xC2)), once, signed),
		status("pin-blocked", "ISO/IEC 7816-4 §11.6.6 (6983)", on(stepVerify, says(0x69, 0x83)), once, signed),
		status("key-unusable", "ISO/IEC 7816-4 §5.6 (6984)", on(stepSign, says(unused...))),
		status("key-forbidden", "ISO/IEC 7816-4 §5.6 (6982)", on(stepSign, says(0x69, 0x82))),
		status("garbage-status", "ISO/IEC 7816-4 §5.6", on(stepSign, says(0x12, 0x34))),
		status("garbage-at-pin", "ISO/IEC 7816-4 §5.6", on(stepVerify, says(0x00, 0x00)), signed),
		status("endless-more", "ISO/IEC 7816-4 §5.3.4 (61XX)", func() twist { return says(0x61, 0x10) }),
	}
}

func (x *Examination) answerCases() []doctor.Case {
	answered := func(id string, clause string, t func() twist) doctor.Case {
		return x.touches(id, themeAnswer, doctor.Must, clause, Good, t, refuses)
	}
	return []doctor.Case{
		answered("empty-answer", "ISO/IEC 7816-4 §5.1", on(stepSign, says())),
		answered("one-octet", "ISO/IEC 7816-4 §5.1", on(stepSign, says(0x90))),
		answered("nothing-signed", "ISO/IEC 7816-8 §11.5", on(stepSign, says(0x90, 0x00))),
		answered("zeros-signed", "RFC 8017 §8.2.2; SEC 1 §4.1.4", on(stepSign, says(append(make([]byte, 256), 0x90, 0x00)...))),
		answered("answer-too-long", "ISO/IEC 7816-4 §5.1", on(stepSign, says(append(bytes.Repeat([]byte{0xAA}, 60_000), 0x90, 0x00)...))),
		answered("signature-changed", "RFC 8017 §8.2.2; SEC 1 §4.1.4", on(stepSign, func(_ context.Context, _ int, _ step, _ []byte, sound answer) ([]byte, error) {
			b, err := sound()
			if err == nil && len(b) > 4 {
				b = bytes.Clone(b)
				b[len(b)-3] ^= 1
			}
			return b, err
		})),
		x.replayed(),
	}
}

// replayed answers a second question with the signature of a first.
func (x *Examination) replayed() doctor.Case {
	return doctor.Case{ID: "signature-replayed", Theme: themeAnswer, Level: doctor.Must, Clause: "NIST SP 800-63B-4 §3.2.7 (replay resistance)", Run: func(ctx context.Context) doctor.Finding {
		return x.each(ctx, Good, func(chip Chip) doctor.Finding {
			r := &replay{}
			if first, err := x.try(ctx, chip, r.twist(), ""); err != nil || !first.accepted {
				return doctor.Unsure(doctor.Seen("reader-refused", "said", tail(first.said)))
			}
			s, err := x.try(ctx, chip, r.twist(), "")
			return judge(s, err, []check{refuses})
		})
	}}
}

func (x *Examination) certificateCases() []doctor.Case {
	changed := func(id, clause string, file jpki.FileID, change func([]byte) []byte) doctor.Case {
		return doctor.Case{ID: id, Theme: themeCertificate, Level: doctor.Must, Clause: clause, Run: func(ctx context.Context) doctor.Finding {
			return x.each(ctx, Good, func(chip Chip) doctor.Finding {
				s, err := x.tryReading(ctx, chip, file, change)
				return judge(s, err, []check{refuses})
			})
		}}
	}
	ended := func(id string, state State, clause string) doctor.Case {
		return x.touches(id, themeCertificate, doctor.Must, clause, state, nil, refuses)
	}
	const certificate = jpki.FileAuthenticationCertificate
	return []doctor.Case{
		ended("chip-held", Held, "RFC 5280 §5.3.1 (certificateHold)"),
		ended("chip-revoked", Revoked, "RFC 5280 §6.3; RFC 6960 §2.2"),
		ended("chip-expired", Expired, "RFC 5280 §6.1.3 (a)(2)"),
		changed("token-unknown", "CARD-FACTS §1.4", jpki.FileToken, func(b []byte) []byte { return bytes.Repeat([]byte("X"), len(b)) }),
		changed("certificate-cut", "X.690 §8.1.3", certificate, func(b []byte) []byte { return b[:len(b)/2] }),
		changed("certificate-garbage", "X.690 §8.1", certificate, func(b []byte) []byte { return bytes.Repeat([]byte{0xFF}, len(b)) }),
		changed("certificate-stranger", "RFC 5280 §6.1.3 (a)(1)", certificate, func(b []byte) []byte { return stranger(exact(b)) }),
		x.swapped(),
	}
}

// exact is a DER value without what a card stores behind it.
func exact(b []byte) []byte {
	if object, _, err := iso7816.ReadTLV(b); err == nil {
		return iso7816.MakeTLV(object.Tag, object.Value)
	}
	return b
}

// tryReading is try with a file that reads differently.
func (x *Examination) tryReading(ctx context.Context, chip Chip, file jpki.FileID, change func([]byte) []byte) (seen, error) {
	var inner twist
	make := reads(file, change)
	w := &watched{chip: chip}
	w.twist = func(ctx context.Context, at int, s step, command []byte, sound answer) ([]byte, error) {
		if inner == nil {
			inner = make(w)
		}
		return inner(ctx, at, s, command, sound)
	}
	return x.run(ctx, w, Person{PIN: chip.PIN, Class: chip.Class, ATR: chip.ATR})
}

// swapped gives the certificate of somebody else, who is good, over one's own key.
func (x *Examination) swapped() doctor.Case {
	return doctor.Case{ID: "certificate-swapped", Theme: themeCertificate, Level: doctor.Must, Clause: "RFC 5280 §6.1; FIPS 201-3 §6.2.3", Run: func(ctx context.Context) doctor.Finding {
		return x.each(ctx, Good, func(chip Chip) doctor.Finding {
			other, err := x.Chips.Chip(ctx, chip.Class, Other)
			if err != nil {
				return doctor.Skip(doctor.Seen("reader-no-chip", "state", string(Other)))
			}
			foreign, err := certificateOf(ctx, other)
			if err != nil {
				return doctor.Unsure(doctor.Seen("reader-failed", "error", err.Error()))
			}
			s, err := x.tryReading(ctx, chip, jpki.FileAuthenticationCertificate, func([]byte) []byte { return foreign })
			return judge(s, err, []check{refuses})
		})
	}}
}

// certificateOf reads a chip's authentication certificate; a phone's is behind its PIN.
func certificateOf(ctx context.Context, chip Chip) ([]byte, error) {
	token, err := jpki.Select(ctx, chip)
	if err != nil {
		return nil, err
	}
	if token.IsPhone() {
		if err := token.VerifyPhone(ctx, warifu.Authentication, warifu.NewActivationSecret([]byte(chip.PIN))); err != nil {
			return nil, err
		}
	}
	der, err := token.Certificate(ctx, warifu.Authentication)
	if p, is := chip.Transmitter.(iso7816.Powered); is {
		p.PowerOff()
	}
	return der, err
}

func (x *Examination) secretCases() []doctor.Case {
	after := func(id string, level doctor.Level, clause string, c check) doctor.Case {
		return x.touches(id, themeSecret, level, clause, Good, nil, accepts, c)
	}
	return []doctor.Case{
		x.touches("last-try", themeSecret, doctor.Should, "REQUIREMENTS R29; CARD-FACTS §1.7", Good, on(stepTries, says(0x63, 0xC1)), func(s seen) *doctor.Note {
			if s.count(stepVerify) > 0 {
				return noted("reader-last-try-spent")
			}
			return nil
		}),
		x.touches("no-try-left", themeSecret, doctor.Should, "ISO/IEC 7816-4 §11.6.6 (63C0)", Good, on(stepTries, says(0x69, 0x83)), refuses, func(s seen) *doctor.Note {
			if s.count(stepVerify) > 0 {
				return noted("reader-blocked-tried")
			}
			return nil
		}),
		x.secretSaid(),
		after("power-off", doctor.Must, "ISO/IEC 7816-3 §6.4 (deactivation)", func(s seen) *doctor.Note {
			if s.left() {
				return noted("reader-power-left")
			}
			return nil
		}),
		after("foreign-commands", doctor.Must, "DESIGN §3.8 (the contactless interface)", func(s seen) *doctor.Note {
			if s.foreign {
				return noted("reader-foreign-command")
			}
			return nil
		}),
		after("one-signature", doctor.Should, "REQUIREMENTS B.7", func(s seen) *doctor.Note {
			if s.count(stepSign) > 1 {
				return noted("reader-signed-twice")
			}
			return nil
		}),
	}
}

// secretSaid looks for the PIN in what the software wrote, after good and after bad.
func (x *Examination) secretSaid() doctor.Case {
	return doctor.Case{ID: "pin-written", Theme: themeSecret, Level: doctor.Must, Clause: "NIST SP 800-63B-4 §3.1.1; DESIGN §5", Run: func(ctx context.Context) doctor.Finding {
		return x.each(ctx, Good, func(chip Chip) doctor.Finding {
			for _, t := range []twist{nil, on(stepVerify, says(0x63, 0xC2))(), on(stepSign, says(0x12, 0x34))()} {
				s, err := x.try(ctx, chip, t, "")
				found := judge(s, err, []check{func(s seen) *doctor.Note {
					if strings.Contains(s.said, chip.PIN) || strings.Contains(strings.ToLower(s.said), hexOf(chip.PIN)) {
						return noted("reader-pin-said")
					}
					return nil
				}})
				if found.Outcome != doctor.Pass {
					return found
				}
			}
			return doctor.Passed()
		})
	}}
}

// hexOf is the PIN as it stands in a logged command.
func hexOf(pin string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for i := range len(pin) {
		b.WriteByte(digits[pin[i]>>4])
		b.WriteByte(digits[pin[i]&15])
	}
	return b.String()
}
