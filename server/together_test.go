package server_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"warifu"
	"warifu/server"
)

// teller answers for a bureau; its statements say which certificate they are about.
type teller struct {
	single, together, refused atomic.Int32
	status                    int // of the page for several; 0: it answers
}

func (b *teller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	type question struct {
		Certificate []byte `json:"certificate"`
	}
	var in struct {
		question
		Questions []question `json:"questions"`
	}
	if json.NewDecoder(r.Body).Decode(&in) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	if r.URL.Path == "/statements" {
		b.single.Add(1)
		_ = json.NewEncoder(w).Encode(map[string][]byte{"statement": in.Certificate})
		return
	}
	if b.status != 0 {
		b.refused.Add(1)
		w.WriteHeader(b.status)
		return
	}
	b.together.Add(1)
	var out struct {
		Statements [][]byte `json:"statements"`
	}
	for _, q := range in.Questions {
		if q.Certificate[0] == 3 {
			q.Certificate = nil // has to be asked by itself
		}
		out.Statements = append(out.Statements, q.Certificate)
	}
	_ = json.NewEncoder(w).Encode(out)
}

// askMany asks for n statements at a time and checks that each is the right one.
func askMany(t *testing.T, b *teller, n int) {
	t.Helper()
	web := httptest.NewServer(b)
	defer web.Close()
	ask := server.NewStatements(web.URL)
	for range 3 {
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				answer, err := ask(t.Context(), []byte{byte(i)}, warifu.DigestOf([]byte{byte(i)}))
				if err != nil || len(answer) != 1 || answer[0] != byte(i) {
					t.Errorf("%d: %v, %v", i, answer, err)
				}
			})
		}
		all.Wait()
	}
}

func TestStatementsAskedForTogetherComeTogether(t *testing.T) {
	var b teller
	askMany(t, &b, 48)
	if b.together.Load() == 0 || b.together.Load()+b.single.Load() >= 3*48 {
		t.Errorf("%d requests for several, %d for one", b.together.Load(), b.single.Load())
	}
}

func TestBureauThatAnswersOneAtATimeIsAskedOneAtATime(t *testing.T) {
	b := teller{status: http.StatusNotFound}
	askMany(t, &b, 48)
	if b.single.Load() != 3*48 {
		t.Errorf("%d requests for one", b.single.Load())
	}
	if b.refused.Load() > 48 { // those under way when the first refusal came
		t.Errorf("it was asked %d times for what it does not have", b.refused.Load())
	}
}

func TestWhatFailsTogetherIsAskedByItself(t *testing.T) {
	b := teller{status: http.StatusInternalServerError}
	askMany(t, &b, 20)
	if b.single.Load() != 3*20 {
		t.Errorf("%d requests for one", b.single.Load())
	}
}

func TestWhoAsksAloneAsksAsEver(t *testing.T) {
	var b teller
	askMany(t, &b, 1)
	if b.together.Load() != 0 || b.single.Load() != 3 {
		t.Errorf("%d requests for several, %d for one", b.together.Load(), b.single.Load())
	}
}
