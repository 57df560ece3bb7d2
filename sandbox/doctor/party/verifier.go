package party

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"

	"warifu/sandbox/doctor"
)

// Verifier is somebody's endpoint that takes a signed document and says whether it is good.
type Verifier struct {
	URL         string `toml:"url"`         // a POST; empty: there is none
	PDFURL      string `toml:"pdf_url"`     // for PDF files; url by default
	XMLURL      string `toml:"xml_url"`     // for XML documents; url by default
	Encoding    string `toml:"encoding"`    // json (members in base64, default), multipart, or raw (the file is the body)
	Signature   string `toml:"signature"`   // name of the member or field with the signature or the signed file
	Document    string `toml:"document"`    // name of that with the document of a detached signature
	Good        string `toml:"good"`        // JSON pointer to the verdict
	GoodValue   string `toml:"good_value"`  // what stands there when it is good; "good" by default
	GoodMatch   string `toml:"good_match"`  // regular expression that matches a good answer, instead of a pointer
	Class       string `toml:"class"`       // "card" or "phone" where it takes only one of them
	Timestamps  bool   `toml:"timestamps"`  // it judges a time-stamped signature at its time, by the status history
	Authorities string `toml:"authorities"` // folder into which the doctor writes whom to believe
	// Forms are what it takes: detached, attached, pdf, xml.
	Forms []string `toml:"forms"`

	match *regexp.Regexp
}

func (v *Verifier) complete() error {
	preset(&v.Encoding, "json")
	preset(&v.Signature, "signature")
	preset(&v.Document, "document")
	preset(&v.GoodValue, "good")
	if len(v.Forms) == 0 {
		v.Forms = []string{formDetached}
	}
	for _, f := range v.Forms {
		if !slices.Contains([]string{formDetached, formAttached, formPDF, formXML}, f) {
			return wrong("verifier.forms")
		}
	}
	switch {
	case !slices.Contains([]string{"json", "multipart", "raw"}, v.Encoding), v.Encoding == "raw" && slices.Contains(v.Forms, formDetached):
		return wrong("verifier.encoding")
	case !slices.Contains([]string{"", "card", "phone"}, v.Class):
		return wrong("verifier.class")
	case v.Good == "" && v.GoodMatch == "", v.Good != "" && v.Good[0] != '/':
		return wrong("verifier.good")
	}
	if v.GoodMatch == "" {
		return nil
	}
	m, err := regexp.Compile(v.GoodMatch)
	v.match = m
	if err != nil {
		return wrong("verifier.good_match")
	}
	return nil
}

// takes reports whether it takes a form.
func (v *Verifier) takes(form string) bool { return v.URL != "" && slices.Contains(v.Forms, form) }

// verdict is what the endpoint said.
type verdict struct {
	good   bool
	status int
	body   string
	err    error
}

// hand hands a paper in.
func (x *Examination) hand(ctx context.Context, p paper) verdict {
	v := &x.config.Verifier
	address := v.URL
	switch {
	case p.form == formPDF && v.PDFURL != "":
		address = v.PDFURL
	case p.form == formXML && v.XMLURL != "":
		address = v.XMLURL
	}
	body, kind, err := v.encode(p)
	if err != nil {
		return verdict{err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, x.config.Patience.Duration)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return verdict{err: err}
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", "application/json")
	answer, err := (&http.Client{Transport: x.transport}).Do(r)
	if err != nil {
		return verdict{err: err}
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(io.LimitReader(answer.Body, maxPage))
	out := verdict{status: answer.StatusCode, body: string(read), err: err}
	out.good = answer.StatusCode/100 == 2 && v.saysGood(read)
	return out
}

func (v *Verifier) saysGood(body []byte) bool {
	if v.match != nil {
		return v.match.Match(body)
	}
	var doc any
	return json.Unmarshal(body, &doc) == nil && pointed(doc, v.Good) == v.GoodValue
}

func (v *Verifier) encode(p paper) (body []byte, kind string, err error) {
	switch v.Encoding {
	case "raw":
		return p.signature, map[string]string{formPDF: "application/pdf", formXML: "application/xml"}[p.form], nil
	case "multipart":
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for name, file := range map[string][]byte{v.Signature: p.signature, v.Document: p.document} {
			if file == nil {
				continue
			}
			part, err := w.CreateFormFile(name, name)
			if err != nil {
				return nil, "", err
			}
			_, _ = part.Write(file) // into memory
		}
		err := w.Close()
		return b.Bytes(), w.FormDataContentType(), err
	}
	members := map[string]string{v.Signature: base64.StdEncoding.EncodeToString(p.signature)}
	if p.document != nil {
		members[v.Document] = base64.StdEncoding.EncodeToString(p.document)
	}
	body, err = json.Marshal(members)
	return body, "application/json", err
}

// judged is the finding of a paper that is good, or must not be called so.
func judged(v verdict, good bool) doctor.Finding {
	status := doctor.Seen("status", "status", strconv.Itoa(v.status))
	switch {
	case v.err != nil:
		return doctor.Found(doctor.Seen("broken", "what", v.err.Error()))
	case good && !v.good:
		return doctor.Found(doctor.Seen("called-bad"), status, doctor.Seen("page", "what", shown(excerpt(v.body))))
	case !good && v.good:
		return doctor.Found(doctor.Seen("called-good"))
	}
	return doctor.Passed()
}
