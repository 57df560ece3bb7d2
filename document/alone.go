package document

import (
	"bytes"
	"errors"
	"slices"

	"warifu"
)

// other is the refusal of a signed document that is not the one that was to be signed.
func other(what string) error { return warifu.Refused("signed-document-other", "what", what) }

// PDFTakesSignature refuses a file that nobody could sign as it is, before somebody is asked
// to: PreparePDF would, or whoever compares the signed file with it could not (PDFSigned).
// Errors as PreparePDF.
func PDFTakesSignature(in []byte) error {
	u, err := newUpdate(in)
	if err != nil {
		return err
	}
	if _, err := u.file.fields(0); err != nil {
		return malformedPDF(err)
	}
	if _, err := u.file.revision(len(in)); err != nil {
		return malformedPDF(errors.New("something follows its end"))
	}
	_, err = u.annotate(u.next())
	return err
}

// PDFSigned checks that a signed file is the file before, octet for octet, with one more
// signature that shows nothing and nothing else that anybody sees, and returns the name of its
// field. A signature alone does not say so: it covers whatever stood in the file when it was
// made. Whose it is, is for package verify. Errors: Refused "signed-document-other" with
// parameter "what", and as ReadPDF.
func PDFSigned(signed, before []byte) (name string, err error) {
	if len(signed) > MaxPDF {
		return "", warifu.TooLarge("pdf-too-large")
	}
	if !bytes.HasPrefix(signed, before) || len(signed) == len(before) {
		return "", other("its beginning")
	}
	f, err := openPDF(signed)
	if err != nil {
		return "", malformedPDF(err)
	}
	from, err := f.revision(len(before))
	if err != nil {
		return "", other(err.Error())
	}
	if _, err := f.revision(len(signed)); err != nil {
		return "", other("something follows its end")
	}
	changes, _, err := f.compare(from)
	if err != nil {
		return "", malformedPDF(err)
	}
	if len(changes) > 0 {
		return "", other(changes[0])
	}
	then, err := f.fields(from)
	if err != nil {
		return "", malformedPDF(err)
	}
	now, err := f.fields(0)
	if err != nil {
		return "", malformedPDF(err)
	}
	for _, d := range now {
		if slices.ContainsFunc(then, func(t field) bool { return t.ref == d.ref }) || d.value == nil {
			continue
		}
		if name != "" {
			return "", other("more than one signature")
		}
		name = d.name
	}
	if name == "" {
		return "", other("no signature")
	}
	return name, nil
}

// XMLTakesSignature refuses a document that nobody could sign as it is. Errors as PrepareXML.
func XMLTakesSignature(in []byte) error {
	tree, err := openXML(in)
	if err == nil && len(tree.signatures()) > 0 {
		err = warifu.Refused("xml-signed-already")
	}
	return err
}

// XMLSigned checks that a signed document is the document before, octet for octet, with a
// signature as the root's last child and nothing else. Whose it is, is for package verify.
// Errors: Refused "signed-document-other" with parameter "what", and as ReadXML.
func XMLSigned(signed, before []byte) error {
	if _, err := ReadXML(signed); err != nil {
		return err
	}
	now, err := openXML(signed)
	if err != nil {
		return err
	}
	then, err := openXML(before)
	if err != nil {
		return err
	}
	if !bytes.Equal(now.canonical(now.signatures()[0]), then.canonical(nil)) {
		return other("its content")
	}
	head, tail := before[:then.root.close], before[then.root.close:]
	if then.root.empty { // "/>" became "></name>"
		tail = tail[len("/>"):]
	}
	if len(signed) < len(before) || !bytes.HasPrefix(signed, head) || !bytes.HasSuffix(signed, tail) {
		return other("its octets")
	}
	return nil
}
