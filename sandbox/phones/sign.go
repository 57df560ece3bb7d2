package phones

import (
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"

	"warifu"
	"warifu/face"
	"warifu/phone"
	"warifu/sandbox/doorway"
)

var signScreen = face.Phone("sign")

// signData is the screen that signs a document.
type signData struct {
	mine
	Forms []phone.SignatureForm
}

func (p *Phones) showSign(w http.ResponseWriter, r *http.Request, o *owned, problem error) {
	p.mineScreen(w, r, o, signScreen, "phones.sign", problem, func(m mine) any { return signData{m, phone.SignatureForms} })
}

// sign answers with the signature as a file to keep.
func (p *Phones) sign(w http.ResponseWriter, r *http.Request) {
	o, err := p.find(r.PathValue("id"))
	if err != nil {
		p.chooser(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, phone.MaxDocument+doorway.MaxBody)
	file, header, err := r.FormFile("document")
	if err != nil {
		p.showSign(w, r, o, warifu.Invalid("sandbox-request-malformed").With(err))
		return
	}
	in := Sign{Form: phone.SignatureForm(r.FormValue("form")), Timestamp: r.FormValue("timestamp") != "", Password: r.FormValue("password")}
	signed, err := p.signFile(r, file, in)
	if err != nil {
		p.showSign(w, r, o, err)
		return
	}
	w.Header().Set("Content-Type", in.Form.MediaType())
	w.Header().Set("Content-Disposition", `attachment; filename="`+safeName(in.Form.FileName(header.Filename))+`"`)
	_, _ = w.Write(signed.Signature)
}

func (p *Phones) signFile(r *http.Request, file multipart.File, in Sign) (Signed, error) {
	defer file.Close()
	var err error
	if in.Document, err = io.ReadAll(file); err != nil {
		return Signed{}, warifu.TooLarge("document-too-large").With(err)
	}
	return p.Sign(r.Context(), r.PathValue("id"), in)
}

// safeName keeps of a file's name what a header may carry.
func safeName(name string) string {
	plain := []byte(filepath.Base(name))
	for i, c := range plain {
		if c < 0x20 || c > 0x7E || c == '"' || c == '\\' {
			plain[i] = '_'
		}
	}
	return string(plain)
}
