package server

import (
	"warifu"
	"warifu/offline"
	"warifu/store"
)

// NewPackRegister is packRegister for tests.
func NewPackRegister(s *store.Store, ledger *store.Ledger, kind warifu.Kind) offline.Register {
	return packRegister{s, ledger, kind}
}
