package server

import (
	"context"
	"net/http"

	"warifu"
)

// notices is how phones are told.
type notices struct {
	handler http.Handler
	hand    func(ctx context.Context, element warifu.ElementID, application string) error
	shut    func()
}

func (s *Server) openNotices() (*notices, error) {
	return &notices{}, nil
}

func (n *notices) close() {
	if n != nil && n.shut != nil {
		n.shut()
	}
}

func (s *Server) push(ctx context.Context, element warifu.ElementID, application string) error {
	if s.notices.hand == nil {
		return nil
	}
	return s.notices.hand(ctx, element, application)
}
