package cms_test

import (
	"bytes"
	"testing"

	"warifu/cms"
)

func TestADetachedMessageGoesOnCoveringItsContent(t *testing.T) {
	for name, id := range identities {
		document := []byte("割符\n")
		m, err := cms.Parse(sign(t, id(), cms.OIDData, document, false))
		if err != nil {
			t.Fatal(err)
		}
		der, err := m.Detach()
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(der, document) {
			t.Errorf("%s: the content is still there", name)
		}
		again, err := cms.Parse(der)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Verify(document); err != nil || !again.Detached {
			t.Errorf("%s: %v", name, err)
		}
		if same, err := again.Detach(); err != nil || !bytes.Equal(same, der) {
			t.Errorf("%s: detaching twice changes it: %v", name, err)
		}
	}
}
