package bureau_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"warifu"
	"warifu/attest"
)

func TestStatementsTogetherSayWhatEachWouldSay(t *testing.T) {
	b := open(t, t.TempDir(), newClock())
	url := serve(t, b)
	type question struct {
		Certificate []byte        `json:"certificate"`
		Nonce       warifu.Digest `json:"nonce"`
	}
	var asked []question
	for i, id := range []string{"taro", "mika", "shin"} {
		asked = append(asked, question{of(t, issued(t, b, id), warifu.Signature).Certificate.Raw, warifu.DigestOf([]byte{byte(i)})})
	}
	asked = append(asked, question{[]byte{0x30, 0}, warifu.DigestOf([]byte("nobody's"))})
	body, _ := json.Marshal(map[string]any{"questions": asked})
	status, answer := fetch(t, http.MethodPost, url+"/statements/together", "application/json", body)
	var out struct{ Statements [][]byte }
	if err := json.Unmarshal(answer, &out); status != http.StatusOK || err != nil || len(out.Statements) != len(asked) {
		t.Fatalf("%d %s", status, answer)
	}
	for i, q := range asked[:3] {
		single, err := b.Statement(q.Certificate, q.Nonce)
		if err != nil {
			t.Fatal(err)
		}
		want, err := attest.OpenCardStatement(single, b.StatementKey())
		if err != nil {
			t.Fatal(err)
		}
		got, err := attest.OpenCardStatement(out.Statements[i], b.StatementKey())
		if err != nil || got.Nonce != want.Nonce || got.Person != want.Person || len(got.Certificates) != 2 || got.Certificates[0].State != want.Certificates[0].State || got.Certificates[0].Held != want.Certificates[0].Held {
			t.Errorf("%d: %+v, %v; alone %+v", i, got, err, want)
		}
	}
	if out.Statements[3] != nil {
		t.Error("a statement about nobody's certificate")
	}
	for _, n := range []int{0, attest.MaxTogether + 1} {
		body, _ := json.Marshal(map[string]any{"questions": make([]question, n)})
		if status, answer := fetch(t, http.MethodPost, url+"/statements/together", "application/json", body); status != http.StatusUnprocessableEntity {
			t.Errorf("%d questions: %d %s", n, status, answer)
		}
	}
}
