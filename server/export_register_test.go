package server

import (
	"warifu"
	"warifu/status"
	"warifu/store"
)

// NewRegister is register for tests.
func NewRegister(s *store.Store, kind warifu.Kind) status.Register { return register{s, kind} }
