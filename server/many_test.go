package server_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"warifu"
	"warifu/server"
)

// A bureau that has no papers about many cards says so by its 404 or 405, and each card is
// asked about by itself; whatever else goes wrong is the line's fault, and tried again.
func TestABureauWithoutPapersAboutManyCardsIsToldFromOneThatIsAway(t *testing.T) {
	for status, problem := range map[int]string{404: "bureau-page-unknown", 405: "bureau-page-unknown", 500: "bureau-unreachable", 429: "bureau-unreachable", 204: "bureau-unreachable"} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		_, err := server.NewManyStatements(web.URL)(t.Context(), [][]byte{{1}}, warifu.DigestOf([]byte("n")))
		if warifu.ProblemOf(err).Problem != problem || warifu.ProblemOf(err).IsCode(warifu.CodeNotFound) != (problem == "bureau-page-unknown") {
			t.Errorf("%d: %v", status, err)
		}
		web.Close()
	}
}
