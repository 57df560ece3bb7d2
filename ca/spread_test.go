package ca_test

import (
	"testing"

	"warifu"
)

// TestIndicesStayClose: a status set with a bit for each index must stay small, so
// indices are drawn from a space that grows with what was issued, and not from all there is.
func TestIndicesStayClose(t *testing.T) {
	w := newWorld("badge")
	for range 12 {
		w.issue(t, warifu.Signature, w.newApplication(warifu.Signature).request())
	}
	for _, row := range w.ledgers[warifu.Signature].rows {
		if row.Index >= 1<<20 {
			t.Errorf("the index %d of a young authority", row.Index)
		}
	}
}
