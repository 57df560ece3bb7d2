package server

import (
	"context"

	"github.com/go-jose/go-jose/v4"

	"warifu/oidc"
)

// openSigning opens the desk for documents that relying parties want signed. The provider it
// asks for clients' keys is opened with it.
func (s *Server) openSigning(cards oidc.Cards) *oidc.SignDesk {
	s.documents = oidc.NewSignDesk(oidc.SignConfig{
		Store: s.store, Ledger: s.ledger, Verifier: s.desk.Verifier, Chips: s.registration, Cards: cards, Clock: s.clock,
		Keys: func(ctx context.Context, c oidc.Client) ([]jose.JSONWebKey, error) {
			return s.provider.ClientKeys(ctx, c)
		},
	})
	return s.documents
}

// signingSite is what the site asks: the provider about tokens, the desk about documents.
type signingSite struct {
	*oidc.SignDesk
	provider *oidc.Provider
}

// Access implements web.Signing.
func (s signingSite) Access(ctx context.Context, token string) (oidc.Access, error) {
	return s.provider.Access(ctx, token)
}

// purgeDocuments takes away what nobody signed in time, and results that were there long
// enough.
func (s *Server) purgeDocuments(ctx context.Context) {
	gone, err := s.documents.Purge(ctx)
	s.complain("documents to be signed", err)
	if gone > 0 {
		s.log.Debug("documents to be signed were purged", "transactions", gone)
	}
}
