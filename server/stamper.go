package server

import (
	"warifu/timestamp"
	"warifu/verify"
)

// stamper is the time-stamping authority that the evidence of verifications is stamped by,
// and those who are believed; nil where there is none: then no evidence is kept.
func (s *Server) stamper() (verify.Stamper, timestamp.Anchors) {
	if s.timestamps == nil {
		return nil, timestamp.Anchors{}
	}
	return s.timestamps, timestamp.NewAnchors(s.timestamps.root)
}
