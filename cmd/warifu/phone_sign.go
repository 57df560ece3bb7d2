package main

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path/filepath"

	"warifu/phone"
	"warifu/sandbox/phones"
)

type phoneSign struct {
	onPhone
	File      string `arg:"" help:"The file to sign."`
	Attached  bool   `xor:"form" help:"Put the file inside the signature: FILE.p7m instead of FILE.p7s."`
	PAdES     bool   `name:"pades" xor:"form" help:"Sign inside a PDF file: NAME-signed.pdf."`
	XAdES     bool   `name:"xades" xor:"form" help:"Sign inside an XML document: NAME-signed.xml."`
	Timestamp bool   `xor:"time" help:"Have the server's time-stamping authority stamp the signature; --pades and --xades do so by themselves."`
	Plain     bool   `name:"no-timestamp" xor:"time" help:"Ask for no time-stamp."`
	LT        bool   `name:"lt" help:"With --pades: put status and chain into the file, so that it can be checked with nobody asked."`
	Staple    bool   `help:"Hand a fresh status answer over with the signature: FILE.ocsp."`
	Reason    string `help:"With --pades: the reason that readers show."`
	Location  string `help:"With --pades: the place that readers show."`
	Password  string `help:"The *phone's* signing password; asked for if not given."`
	Method    string `name:"screen-lock" placeholder:"METHOD" help:"Open with the screen lock instead, where the scheme allows it: fingerprint, face, device-pin, pattern."`
	Shown     string `default:"thumb" help:"What is shown to the screen lock: which finger, which PIN."`
	Out       string `short:"o" help:"Write the signature here instead."`
}

func (c phoneSign) form() phone.SignatureForm {
	switch {
	case c.PAdES:
		return phone.FormPDF
	case c.XAdES:
		return phone.FormXML
	case c.Attached:
		return phone.FormAttached
	}
	return phone.FormDetached
}

// stamped says whether the signature gets a time-stamp: as was said, or where it is inside its
// document.
func (c phoneSign) stamped() bool {
	return c.Timestamp || (c.PAdES || c.XAdES) && !c.Plain
}

// Run shows what is about to be signed, its name and digest, before it asks for the password.
func (c phoneSign) Run(s *session) error {
	document, err := s.readFile(c.File)
	if err != nil {
		return err
	}
	form := c.form()
	in := phones.Sign{Document: document, Form: form, Timestamp: c.stamped(), LongTerm: c.LT, Staple: c.Staple, Reason: c.Reason, Location: c.Location,
		Method: phone.Method(c.Method), Shown: c.Shown}
	digest := sha256.Sum256(document)
	fmt.Fprintln(s.std.err, s.sentence("cli.signing", map[string]string{"file": filepath.ToSlash(c.File), "digest": hex.EncodeToString(digest[:])}))
	if c.Method == "" {
		if in.Password, err = s.ask(c.Password, "cli.ask-phone-signature"); err != nil {
			return err
		}
	}
	var out phones.Signed
	if err := c.do(s, "sign", in, &out); err != nil {
		return err
	}
	name := c.Out
	if name == "" {
		name = form.FileName(c.File)
	}
	if err := writeFile(name, out.Signature); err != nil {
		return err
	}
	told := map[string]string{"signature": name}
	if out.Status != nil {
		told["status"] = c.File + ".ocsp"
		if err := writeFile(told["status"], out.Status); err != nil {
			return err
		}
	}
	return s.say(told, "cli.signed", map[string]string{"file": filepath.ToSlash(name)})
}
