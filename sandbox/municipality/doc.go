// Package municipality is the issuing server of the towns of the sandbox: what stands
// behind a multi-copier that prints 住民票の写し and 印鑑登録証明書 (R62, B.6). A kiosk, ours or
// a vendor's own, asks for a question, has the holder's card or phone answer it, and is
// given what may be had and at what fee, and then the paper as a PDF file
// (docs/municipality.md).
//
// The server judges the answer itself, with package verify and against its own question: no
// kiosk's word says who stands before it. No paper carries a My Number, and across every one
// stands 見本 SAMPLE.
package municipality
