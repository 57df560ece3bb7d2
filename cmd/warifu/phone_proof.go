package main

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"warifu"
	"warifu/attest"
	"warifu/phone"
	"warifu/sandbox/doorway"
	"warifu/sandbox/handset"
	"warifu/text"
)

type phoneProof struct {
	onPhone
	Marketplace string   `default:"sandbox-trade-in" help:"Who asks."`
	Nonce       string   `placeholder:"HEX" help:"The marketplace's nonce, as its page shows it; by default one that is drawn."`
	Identifier  []string `placeholder:"imei:…" help:"What was read off the phone in hand; by default the IMEI on its box."`
	QR          string   `name:"qr" placeholder:"FILE.png" help:"Show the proof as a QR code and save it as an image, for who has no network. Nobody is asked."`
	Text        bool     `help:"Print the text of that code instead."`
}

// proven is a proof with what the server makes of it.
type proven struct {
	phone.CleanProof
	Question phone.CleanQuestion `json:"question"`
	Answer   phone.CleanAnswer   `json:"answer"`
}

// Run asks the chip and the server as a trade-in shop does, or the chip alone. It ends
// with 0 only for a phone that is clean.
func (c phoneProof) Run(s *session) error {
	places, err := s.places()
	if err != nil {
		return err
	}
	out := proven{}
	if out.Question, err = c.question(s, places.Phones); err != nil {
		return err
	}
	if err := c.do(s, "proof", out.Question, &out.CleanProof); err != nil {
		return err
	}
	if c.QR != "" || c.Text {
		return c.show(s, out.CleanProof)
	}
	server, err := phone.NewServer(places.Server, nil)
	if err != nil {
		return err
	}
	if out.Answer, err = server.Clean(s.ctx, out.CleanProof, out.Question); err != nil {
		return err
	}
	params := map[string]string{"counter": strconv.Itoa(out.Answer.Counter), "at": out.Answer.CheckedAt.Format(time.RFC3339), "reasons": s.reasons(out.Answer.Reasons)}
	if err := s.say(out, "cli.proof-"+out.Answer.Answer, params); err != nil || out.Answer.Answer == answerClean {
		return err
	}
	return errTold
}

// reasons says in words why a phone is not clean, with the slugs behind them.
func (s *session) reasons(slugs []string) string {
	said := make([]string, len(slugs))
	for i, slug := range slugs {
		title, _, _ := text.Problem(warifu.Refused(slug), s.lang)
		said[i] = title + " (" + slug + ")"
	}
	return strings.Join(said, ", ")
}

// The three answers about a phone (R81); unknown is never clean.
const (
	answerClean    = "clean"
	answerNotClean = "not-clean"
	answerUnknown  = "unknown"
)

// shown is a proof as it is carried to who has no network.
type shown struct {
	Code string `json:"code"`
	File string `json:"file,omitempty"`
	offline
}

// show writes the proof as a QR code and as text. Whose phone is not clean learns it here,
// and not from the buyer.
func (c phoneProof) show(s *session, proof phone.CleanProof) error {
	code := attest.CleanCode{Proof: proof.Proof, Chain: proof.Chain}
	said, err := code.Said()
	if err != nil {
		return err
	}
	out := shown{File: c.QR, offline: judged(said)}
	if out.Code, err = code.Text(); err != nil {
		return err
	}
	q, err := phone.MakeQR(out.Code)
	if err != nil {
		return err
	}
	if c.QR != "" {
		if err := writeFile(c.QR, q.PNG()); err != nil {
			return err
		}
	}
	switch {
	case s.json:
		err = s.print(out)
	case c.Text:
		_, err = fmt.Fprintln(s.std.out, out.Code)
	default:
		if _, err = io.WriteString(s.std.out, q.Terminal()); err == nil {
			err = s.say(nil, "cli.proof-shown", map[string]string{"file": filepath.ToSlash(c.QR), "verdict": out.sentence(s)})
		}
	}
	if err != nil || out.Answer == answerClean {
		return err
	}
	return errTold
}

func (c phoneProof) question(s *session, place string) (phone.CleanQuestion, error) {
	q := phone.CleanQuestion{Marketplace: c.Marketplace, Nonce: make([]byte, 32), Identifiers: c.Identifier}
	_, _ = rand.Read(q.Nonce)
	var err error
	if c.Nonce != "" {
		if q.Nonce, err = hex.DecodeString(c.Nonce); err != nil {
			return q, usage("--nonce " + c.Nonce)
		}
	}
	if q.Time, err = s.now(); err != nil {
		return q, err
	}
	if len(q.Identifiers) > 0 {
		return q, nil
	}
	var box handset.Record
	if err := doorway.NewClient(place).Get(s.ctx, "/api/phones/"+c.Phone, &box); err != nil {
		return q, err
	}
	q.Identifiers = []string{"imei:" + box.IMEI}
	return q, nil
}

// proofCommand is for whoever is shown a proof.
type proofCommand struct {
	Check proofCheck `cmd:"" help:"Say what a clean-phone proof is worth: alone, or with the authority's word that it still is."`
}

type proofCheck struct {
	File        string   `arg:"" help:"The code's text or the PNG that was saved of it; - for standard input."`
	Maker       []string `placeholder:"FILE.pem" help:"Attestation roots of the phones' makers; by default those of the running demo."`
	Marketplace string   `help:"Who asked the phone; a proof made for another is refused."`
	Identifier  []string `placeholder:"imei:…" help:"What you read off the phone in hand; a proof that does not name it is refused."`
	Online      bool     `help:"Ask the authority whether it is still clean."`
}

// offline is what a proof says by itself.
type offline struct {
	Answer      string    `json:"answer"`
	Reasons     []string  `json:"reasons"`
	Element     string    `json:"element"`
	Marketplace string    `json:"marketplace"`
	Identifiers []string  `json:"identifiers"`
	Counter     int       `json:"counter"`
	ProvedAt    time.Time `json:"provedAt"`
	// CheckedAt is when the authority was asked; absent where it was not.
	CheckedAt *time.Time `json:"checkedAt,omitempty"`
}

// judged gives one of the three answers to what the chip said.
func judged(said attest.CleanProof) offline {
	out := offline{Answer: answerClean, Reasons: []string{}, Element: said.Element.String(), Marketplace: said.Marketplace,
		Identifiers: append([]string{}, said.Identifiers...), Counter: said.Counter, ProvedAt: said.Time}
	switch {
	case !said.Clean():
		out.Answer, out.Reasons = answerNotClean, append(out.Reasons, "clean-key-left")
	case len(said.Identifiers) == 0:
		out.Answer, out.Reasons = answerUnknown, append(out.Reasons, "clean-proof-unnamed")
	}
	return out
}

// sentence says it to a person.
func (o offline) sentence(s *session) string {
	key := "cli.proof-alone-" + o.Answer
	params := map[string]string{"at": o.ProvedAt.Format(time.RFC3339), "counter": strconv.Itoa(o.Counter), "marketplace": o.Marketplace,
		"identifiers": strings.Join(o.Identifiers, ", "), "reasons": s.reasons(o.Reasons)}
	if o.CheckedAt != nil {
		key, params["checked"] = "cli.proof-still-"+o.Answer, o.CheckedAt.Format(time.RFC3339)
	}
	return s.sentence(key, params)
}

// Run ends with 0 only for clean.
func (c proofCheck) Run(s *session) error {
	code, err := c.read(s)
	if err != nil {
		return err
	}
	said, err := c.check(s, code)
	if err != nil {
		return err
	}
	out := judged(said)
	if c.Online {
		if err := out.ask(s, code, said); err != nil {
			return err
		}
	}
	if s.json {
		err = s.print(out)
	} else {
		_, err = fmt.Fprintln(s.std.out, out.sentence(s))
	}
	if err != nil || out.Answer == answerClean {
		return err
	}
	return errTold
}

// read takes the text, or the image that holds it.
func (c proofCheck) read(s *session) (attest.CleanCode, error) {
	b, err := s.readFile(c.File)
	if err != nil {
		return attest.CleanCode{}, err
	}
	written := string(b)
	if bytes.HasPrefix(b, []byte("\x89PNG")) {
		if written, err = phone.ReadQR(b); err != nil {
			return attest.CleanCode{}, err
		}
	}
	return attest.ParseCleanCode(written)
}

// check believes the code by its maker's root, and that it is about the phone in hand.
func (c proofCheck) check(s *session, code attest.CleanCode) (attest.CleanProof, error) {
	var said attest.CleanProof
	makers, err := c.makers(s)
	if err != nil {
		return said, err
	}
	now, err := s.now()
	if exitCode(err) == exitUnreachable {
		now, err = warifu.SystemClock{}.Now(), nil
	}
	if err != nil {
		return said, err
	}
	if said, err = code.Check(makers, now); err != nil {
		return said, err
	}
	if c.Marketplace != "" && c.Marketplace != said.Marketplace {
		return said, warifu.Refused("clean-proof-other")
	}
	for _, identifier := range c.Identifier {
		if !slices.Contains(said.Identifiers, identifier) {
			return said, warifu.Refused("clean-proof-other")
		}
	}
	return said, nil
}

// makers are the roots that were named, or those of the demo's makers.
func (c proofCheck) makers(s *session) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, name := range c.Maker {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, warifu.NotFound("cli-file", "file", name).With(err)
		}
		if block, _ := pem.Decode(b); block == nil || !pool.AppendCertsFromPEM(b) {
			return nil, usage("--maker " + name)
		}
	}
	if len(c.Maker) > 0 {
		return pool, nil
	}
	p, err := s.phones()
	if err != nil {
		return nil, err
	}
	var roots [][]byte
	if err := p.Get(s.ctx, "/api/makers", &roots); err != nil {
		return nil, err
	}
	for _, der := range roots {
		root, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		pool.AddCert(root)
	}
	return pool, nil
}

// ask adds the authority's word.
func (o *offline) ask(s *session, code attest.CleanCode, said attest.CleanProof) error {
	server, err := phone.NewServer(s.server, nil)
	if err != nil {
		return err
	}
	answer, err := server.Clean(s.ctx, phone.CleanProof{Proof: code.Proof, Chain: code.Chain},
		phone.CleanQuestion{Marketplace: said.Marketplace, Nonce: said.Nonce, Identifiers: said.Identifiers})
	if err != nil {
		return err
	}
	o.Answer, o.Reasons, o.CheckedAt = answer.Answer, append([]string{}, answer.Reasons...), &answer.CheckedAt
	return nil
}
