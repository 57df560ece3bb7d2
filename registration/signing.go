package registration

import (
	"bytes"
	"context"

	"warifu"
)

// Gave tells for which kinds the holder of a chip gave it the activation secret when it signed
// a request of that purpose and subject over that nonce: the chip's word that its holder was
// there and wanted just this, without the authentication key (docs/adr/0019). The nonce is the
// asker's, who sees to it that it serves once; it need be no challenge of ours. Errors:
// NotFound "element-unknown", Refused "device-request-other", those of papers.
func (a *Authority) Gave(ctx context.Context, element warifu.ElementID, envelope []byte, purpose, subject string, nonce []byte) ([]warifu.Kind, error) {
	request, err := a.deviceRequest(ctx, element, envelope)
	if err != nil {
		return nil, err
	}
	if request.Purpose != purpose || request.Subject != subject || !bytes.Equal(request.Nonce, nonce) {
		return nil, warifu.Refused("device-request-other")
	}
	return request.Verified, nil
}
