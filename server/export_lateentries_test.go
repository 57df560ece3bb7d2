package server

import "warifu/keystore"

// NewLateEntries is a file of late entries.
func NewLateEntries(file string, seal *keystore.SymmetricKey) *lateEntries {
	return &lateEntries{file: file, seal: seal}
}
