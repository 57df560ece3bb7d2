package main

import (
	"bytes"
	"crypto/sha256"
	"os"
	"strings"
	"time"

	"warifu"
	"warifu/verify"
)

type verifyCommand struct {
	File     string        `arg:"" optional:"" help:"What was signed: FILE.p7s (detached), FILE.p7m, a PDF file, an XML document. With --evidence: the document that the record is about."`
	Content  string        `help:"The document of a detached signature; the file's name without .p7s by default."`
	At       string        `placeholder:"TIME" help:"Judge at this instant, from a source of yours, instead of now: 2026-05-12T07:30:00+09:00, 2026-05-12 07:30."`
	Status   string        `placeholder:"FILE.ocsp" help:"Believe this OCSP answer, handed over with the signature, and ask nobody."`
	MaxAge   time.Duration `placeholder:"1h" help:"How old a status may be; without it as long as the answer says."`
	Pack     string        `placeholder:"PACK[,DELTA]" help:"Ask these packs, which warifu offline fetch brought, and nobody else; with --status the newer of both counts."`
	Offline  bool          `help:"Ask nobody: the file has to carry its own status (PAdES-B-LT)."`
	Gather   string        `placeholder:"OUT.json" help:"Gather the evidence that proves the signature later, into this file."`
	Evidence string        `placeholder:"RECORD.json" help:"Check a record that --gather wrote; nobody is asked."`
	Field    string        `help:"With --gather on a PDF file of several signatures: the field of the one."`
	Trust    string        `placeholder:"DIR" help:"Whom to believe, as 'warifu trust DIR' saved it; by default the running demo is asked."`
	Now      string        `placeholder:"TIME" help:"What counts as now; by default the demo's clock, or with --trust this machine's."`
}

// Run judges with the authorities' certificates from the running demo or from a folder,
// as a relying party has them from its contract, and asks the responders named in the certificate.
func (c verifyCommand) Run(s *session) error {
	if c.File == "" && c.Evidence == "" {
		return usage("FILE")
	}
	k, err := s.anchors(c.Trust, c.Now)
	if err != nil {
		return err
	}
	if c.Evidence != "" {
		return c.checkEvidence(s, k)
	}
	file, err := s.readFile(c.File)
	if err != nil {
		return err
	}
	v, p, err := c.verifier(s, k)
	if err != nil {
		return err
	}
	if c.Gather != "" {
		return c.gather(s, k, v, p, file)
	}
	found, err := c.judge(s, v, p, file)
	if err != nil {
		return err
	}
	return s.tellFound(found)
}

// verifier is who judges and by which policy.
func (c verifyCommand) verifier(s *session, k known) (*verify.Verifier, verify.Policy, error) {
	p := verify.Policy{Attributes: verify.AllAttributes, MaxStatusAge: c.MaxAge}
	if c.At != "" {
		at, err := past(c.At, k.clock.Now())
		if err != nil {
			return nil, p, err
		}
		p.At = at
	}
	var status verify.StatusChecker = verify.FirstOf{verify.OCSPClient{}, &verify.CRLClient{}}
	switch {
	case c.Status != "":
		der, err := s.readFile(c.Status)
		if err != nil {
			return nil, p, err
		}
		status = verify.Stapled{OCSP: der, MaxAge: c.MaxAge}
	case c.Offline:
		status = nil
	}
	if c.Pack != "" {
		packs, err := s.readPacks(c.Pack, k)
		if err != nil {
			return nil, p, err
		}
		if c.Status == "" {
			status = packs
		} else {
			status = verify.Newest{status, packs}
		}
	}
	v := verify.New(k.trust, status, k.clock).WithTimestamps(k.stamps)
	if c.Status == "" && c.Pack == "" && !c.Offline {
		v = v.WithHistory(verify.HistoryClient{})
	}
	return v, p, nil
}

// judge looks at what kind of file it is and judges every signature in it.
func (c verifyCommand) judge(s *session, v *verify.Verifier, p verify.Policy, file []byte) (verified, error) {
	switch formOf(file) {
	case verify.FormPDF:
		all, err := v.PDF(s.ctx, file, p)
		return pdfFound(all), err
	case verify.FormXML:
		r, err := v.XML(s.ctx, file, p)
		return found(verify.FormXML, r), err
	}
	content, err := c.content(s)
	if err != nil {
		return verified{}, err
	}
	r, err := v.Document(s.ctx, file, content, p)
	return found(verify.FormCMS, r), err
}

// formOf tells a PDF file and an XML document by how they begin; everything else is taken
// for a CMS message, which says itself when it is none.
func formOf(file []byte) verify.Form {
	switch start := bytes.TrimLeft(bytes.TrimPrefix(file, []byte("\xEF\xBB\xBF")), " \t\r\n"); {
	case bytes.HasPrefix(file, []byte("%PDF-")):
		return verify.FormPDF
	case bytes.HasPrefix(start, []byte("<")):
		return verify.FormXML
	}
	return verify.FormCMS
}

// content is the document of a detached signature, nil where there is none.
func (c verifyCommand) content(s *session) ([]byte, error) {
	if c.Content != "" {
		return s.readFile(c.Content)
	}
	name, detached := strings.CutSuffix(c.File, ".p7s")
	if !detached {
		return nil, nil
	}
	if _, err := os.Stat(name); err != nil {
		return nil, nil
	}
	return s.readFile(name)
}

// subject takes the signature out of the file, for a record.
func (c verifyCommand) subject(s *session, file []byte) (verify.Subject, error) {
	switch formOf(file) {
	case verify.FormPDF:
		return verify.PDFSubject(file, c.Field)
	case verify.FormXML:
		return verify.XMLSubject(file)
	}
	content, err := c.content(s)
	if err != nil {
		return verify.Subject{}, err
	}
	return verify.CMSSubject(file, content)
}

// gather judges the signature and writes a record of why it is good.
func (c verifyCommand) gather(s *session, k known, v *verify.Verifier, p verify.Policy, file []byte) error {
	if k.tsa == "" {
		return usage("--gather --trust: " + s.word("no-line"))
	}
	subject, err := c.subject(s, file)
	if err != nil {
		return err
	}
	from := verify.Sources{OCSP: verify.OCSPClient{}, History: verify.HistoryClient{}, Stamper: verify.StampClient{Address: k.tsa, Trust: k.stamps}}
	record, result, err := v.Gather(s.ctx, subject, from, p)
	if err != nil {
		if result != nil && result.Verdict != verify.Good {
			return s.tellFound(found(subject.Form, result))
		}
		return err
	}
	out, err := record.Export()
	if err != nil {
		return err
	}
	if err := writeFile(c.Gather, out); err != nil {
		return err
	}
	return s.tellFound(recorded(found(subject.Form, result), record))
}

// checkEvidence judges from a record alone. The document, where it is named, has to be the
// one that the record is about.
func (c verifyCommand) checkEvidence(s *session, k known) error {
	octets, err := s.readFile(c.Evidence)
	if err != nil {
		return err
	}
	record, err := verify.Import(octets)
	if err != nil {
		return err
	}
	v := verify.New(k.trust, nil, k.clock).WithTimestamps(k.stamps)
	result, err := v.Evidence(s.ctx, record, verify.Policy{Attributes: verify.AllAttributes, MaxStatusAge: c.MaxAge})
	if err != nil {
		return err
	}
	out := recorded(found(record.Subject.Form, result), record)
	if c.File == "" {
		return s.tellFound(out)
	}
	document, err := s.readFile(c.File)
	if err != nil {
		return err
	}
	if sha256.Sum256(document) != record.Subject.Document {
		return warifu.Refused("evidence-other-document", "document", warifu.Digest(record.Subject.Document).String())
	}
	return s.tellFound(out)
}
