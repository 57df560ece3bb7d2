package bureau

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"warifu"
	"warifu/attest"
	"warifu/events"
	"warifu/ocsp"
	"warifu/sandbox/doorway"
)

// maxStatementRequest bounds a question for a card statement: one certificate in
// base64 and a nonce.
const maxStatementRequest = 16 << 10

// Handler answers, below whatever prefix BaseURL has (strip it first):
//
//	POST /statements                 {certificate: base64 DER, nonce: hex} → {statement: base64}
//	POST /card-reports               {report: base64} → {receipt, state}
//	POST /statements/many            {serials: [base64 …], nonce: hex} → {statements: base64}
//	POST /statements/together        {questions: [{certificate, nonce} …]} → {statements: [base64 or null …]}
//	GET  /events?after=N&limit=M     → {events: [base64 …], newest: N}
//	POST /ocsp/{kind}, GET /ocsp/{kind}/{base64}
//	GET  /crl/{kind}.crl, /ca/{kind}.cer
//
// It routes by hand: http.ServeMux would clean the slashes out of a GET request's
// base64 (RFC 6960 appendix A.1).
func (b *Bureau) Handler() http.Handler {
	statements, pulls, reports := doorway.JSON(b.serveStatement), doorway.JSON(b.servePull), doorway.JSON(b.serveReport)
	many, together := doorway.JSON(b.serveStatements), doorway.JSON(b.serveTogether)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		room, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		get := r.Method == http.MethodGet || r.Method == http.MethodHead
		switch {
		case room == "statements" && rest == "" && r.Method == http.MethodPost:
			statements.ServeHTTP(w, r)
		case room == "card-reports" && rest == "" && r.Method == http.MethodPost:
			reports.ServeHTTP(w, r)
		case room == "statements" && rest == "many" && r.Method == http.MethodPost:
			many.ServeHTTP(w, r)
		case room == "statements" && rest == "together" && r.Method == http.MethodPost:
			together.ServeHTTP(w, r)
		case room == "events" && rest == "" && get:
			pulls.ServeHTTP(w, r)
		case room == "ocsp" && (get || r.Method == http.MethodPost):
			b.serveOCSP(w, r, rest)
		case room == "crl" && get:
			b.serveKind(w, rest, ".crl", "application/pkix-crl", b.listOf)
		case room == "ca" && get:
			b.serveKind(w, rest, ".cer", "application/pkix-cert", b.certificateOf)
		default:
			doorway.Refuse(w, warifu.NotFound("bureau-page-unknown"))
		}
	})
}

// maxStatementsRequest bounds a question about many cards: serial numbers of up to twenty
// octets in base64, quoted, and a nonce.
const maxStatementsRequest = attest.MaxStatements*32 + 1<<10

type statementsRequest struct {
	Serials [][]byte      `json:"serials"`
	Nonce   warifu.Digest `json:"nonce"`
}

type statementsAnswer struct {
	Statements []byte `json:"statements"`
}

func (b *Bureau) serveStatements(w http.ResponseWriter, r *http.Request) (any, error) {
	var in statementsRequest
	if err := doorway.Read(w, r, maxStatementsRequest, &in); err != nil {
		return nil, err
	}
	statements, err := b.Statements(in.Serials, in.Nonce)
	return statementsAnswer{statements}, err
}

type togetherRequest struct {
	Questions []Question `json:"questions"`
}

type togetherAnswer struct {
	Statements [][]byte `json:"statements"` // null where there is none
}

func (b *Bureau) serveTogether(w http.ResponseWriter, r *http.Request) (any, error) {
	var in togetherRequest
	if err := doorway.Read(w, r, attest.MaxTogether*maxStatementRequest, &in); err != nil {
		return nil, err
	}
	statements, err := b.StatementsTogether(in.Questions)
	return togetherAnswer{statements}, err
}

type statementAnswer struct {
	Statement []byte `json:"statement"`
}

func (b *Bureau) serveStatement(w http.ResponseWriter, r *http.Request) (any, error) {
	var in Question
	if err := doorway.Read(w, r, maxStatementRequest, &in); err != nil {
		return nil, err
	}
	statement, err := b.Statement(in.Certificate, in.Nonce)
	return statementAnswer{statement}, err
}

// servePull answers who asks for the events after a number; no number means from the
// beginning, no limit as many as may be.
func (b *Bureau) servePull(_ http.ResponseWriter, r *http.Request) (any, error) {
	numbers := map[string]int64{"after": 0, "limit": 0}
	for name, values := range r.URL.Query() {
		_, known := numbers[name]
		n, err := strconv.ParseInt(values[0], 10, 64)
		if !known || err != nil || n < 0 || len(values) != 1 {
			return nil, warifu.Invalid("bureau-request-malformed").With(err)
		}
		numbers[name] = n
	}
	return b.Events(numbers["after"], int(min(numbers["limit"], events.MaxBatch)))
}

// serveOCSP answers POST, and GET with the request in the path (RFC 6960 appendix A.1).
func (b *Bureau) serveOCSP(w http.ResponseWriter, r *http.Request, rest string) {
	name, encoded, _ := strings.Cut(rest, "/")
	kind, err := warifu.ParseKind(name)
	if err != nil {
		doorway.Refuse(w, warifu.NotFound("bureau-page-unknown"))
		return
	}
	var request []byte
	if r.Method == http.MethodPost {
		request, err = doorway.Octets(w, r, ocsp.MaxRequest)
	} else {
		request, err = base64.StdEncoding.DecodeString(encoded)
	}
	answer := ocsp.ErrorResponse(ocsp.MalformedRequest)
	if err == nil {
		answer = b.OCSP(kind, request)
	}
	w.Header().Set("Content-Type", "application/ocsp-response")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(answer)
}

// serveKind serves a file named after a kind.
func (b *Bureau) serveKind(w http.ResponseWriter, name, suffix, contentType string, content func(warifu.Kind) ([]byte, error)) {
	name, named := strings.CutSuffix(name, suffix)
	kind, err := warifu.ParseKind(name)
	if !named || err != nil {
		doorway.Refuse(w, warifu.NotFound("bureau-page-unknown"))
		return
	}
	octets, err := content(kind)
	if err != nil {
		doorway.Refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "max-age=60")
	_, _ = w.Write(octets)
}

func (b *Bureau) listOf(kind warifu.Kind) ([]byte, error) {
	var out bytes.Buffer
	err := b.CRL(&out, kind)
	return out.Bytes(), err
}

func (b *Bureau) certificateOf(kind warifu.Kind) ([]byte, error) {
	return b.Authority(kind).Raw, nil
}
