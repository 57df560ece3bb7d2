package registration

import (
	"time"

	"warifu/store"
)

// FoldContact is the one spelling of a contact, for its tests.
func FoldContact(c Contact) (store.Contact, error) {
	return c.folded(time.Date(2026, 5, 11, 9, 0, 0, 0, time.UTC))
}
