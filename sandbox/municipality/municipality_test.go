package municipality_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"warifu/internal/towntest"
	"warifu/profile"
	"warifu/sandbox/municipality"
	"warifu/sandbox/reader"
)

// call posts to the town's municipality and returns status, body, and a problem's slug.
func call(t testing.TB, town *towntest.Town, key, path string, in any) (int, []byte, string) {
	t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, town.Origin+"/municipality"+path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	out, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var problem struct{ Type string }
	if answer.StatusCode > 299 {
		_ = json.Unmarshal(out, &problem)
	}
	return answer.StatusCode, out, strings.TrimPrefix(problem.Type, "urn:warifu:problem:")
}

// identified has a person's card answer a question of the municipality.
func identified(t testing.TB, town *towntest.Town, id string) municipality.Authentication {
	t.Helper()
	_, body, _ := call(t, town, towntest.KioskKey, "/challenges", struct{}{})
	var c municipality.Challenge
	if err := json.Unmarshal(body, &c); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	v, err := town.Bureau.Show(id)
	if err != nil {
		t.Fatal(err)
	}
	pin := string(v.Person.PINs.Authentication.Reveal())
	proof, err := reader.Prove(context.Background(), town.Put(id), reader.Touch{Class: profile.ClassCard, PIN: pin, Question: c.Question.Presence(), Scheme: town.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	return municipality.Authentication{Transaction: c.Question.Transaction, Certificate: proof.Certificate.Raw, Signature: proof.Signature}
}

func ordered(t testing.TB, town *towntest.Town, o municipality.Order) ([]byte, string) {
	t.Helper()
	_, file, problem := call(t, town, towntest.KioskKey, "/certificates", o)
	return file, problem
}

// tool runs a program over the file, and skips where it is not installed.
func tool(t *testing.T, file []byte, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
	path := filepath.Join(t.TempDir(), "paper.pdf")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, a := range args {
		if a == "FILE" {
			args[i] = path
		}
	}
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func TestAPaperIsARealPDFThatSaysSample(t *testing.T) {
	town := towntest.New(t)
	for id, wants := range map[string][]string{
		"taro":    {"住民票の写し", "割符　太郎", "昭和55年2月17日", "東京都清瀬市中里五丁目842番地", "清瀬市長", "見本", "SAMPLE", "令和8年6月10日"},
		"yoshino": {"𠮷野　彰"},                                    // outside the basic plane
		"kaoru":   {"葛城　薫"},                                    // the shape is chosen by a selector that no font here can follow
		"maria":   {"FERNANDEZ MONTENEGRO DE LA", "GUADALUPE"}, // a long Latin name is broken at its spaces
		"ume":     {"大正13年5月20日"},
		"nagai":   {"呼鈴は二度押して下さい"},
	} {
		o := municipality.Order{Authentication: identified(t, town, id), Document: municipality.Residence, Options: municipality.Options{Household: true, Relation: true}, Copies: 2}
		file, problem := ordered(t, town, o)
		if problem != "" {
			t.Fatalf("%s: %s", id, problem)
		}
		if out := tool(t, file, "qpdf", "--check", "FILE"); !strings.Contains(out, "No syntax or stream encoding errors") {
			t.Errorf("%s: %s", id, out)
		}
		words := tool(t, file, "pdftotext", "-raw", "FILE", "-")
		for _, w := range wants {
			if !strings.Contains(joined(words), joined(w)) {
				t.Errorf("%s: no %q in\n%s", id, w, words)
			}
		}
		v, _ := town.Bureau.Show(id)
		if !strings.Contains(joined(words), joined(v.Person.Address)) {
			t.Errorf("%s: the address is not whole in\n%s", id, words)
		}
		if number := v.Person.Number; strings.Contains(words, number) {
			t.Errorf("%s: the paper carries the digits in the place of a My Number", id)
		}
		if n := strings.Count(words, "\f"); n != 2 {
			t.Errorf("%s: %d pages, want 2", id, n)
		}
		again, problem := ordered(t, town, o)
		if problem != "" || !bytes.Equal(file, again) {
			t.Errorf("%s: the same order again is answered with another paper (%s)", id, problem)
		}
	}
}

// A household of five takes three pages; the person alone is told of nobody else.
func TestAHouseholdIsToldWholeOrNotAtAll(t *testing.T) {
	town := towntest.New(t)
	town.Together = []string{"hanako", "sakura", "ume", "makoto"}
	order := municipality.Order{Authentication: identified(t, town, "taro"), Document: municipality.Residence, Options: municipality.Options{Household: true, Relation: true}, Copies: 1}
	file, problem := ordered(t, town, order)
	if problem != "" {
		t.Fatal(problem)
	}
	words := tool(t, file, "pdftotext", "-raw", "FILE", "-")
	if n := strings.Count(words, "\f"); n != 3 {
		t.Errorf("%d pages", n)
	}
	for _, w := range []string{"割符太郎", "割符花子", "青木さくら", "松竹うめ", "岡まこと", "続柄子", "世帯全員", "世帯主松竹うめ", "（記載なし）"} {
		if !strings.Contains(joined(words), w) {
			t.Errorf("no %q in\n%s", w, words)
		}
	}
	order.Authentication, order.Options = identified(t, town, "taro"), municipality.Options{}
	file, problem = ordered(t, town, order)
	if words := joined(tool(t, file, "pdftotext", "-raw", "FILE", "-")); problem != "" || !strings.Contains(words, "世帯一部") || strings.Contains(words, "花子") || strings.Contains(words, "続柄") {
		t.Errorf("%s %s", problem, words)
	}
}

// Whoever has moved is another town's resident from that day, with the certificate they had
// (B.2: a move ends the signing certificate alone).
func TestWhoMovedIsTheNewTownsResident(t *testing.T) {
	town := towntest.New(t)
	v, err := town.Bureau.Show("hanako")
	if err != nil {
		t.Fatal(err)
	}
	to := v.Person.Elsewhere()
	if err := town.Bureau.Move("hanako", to); err != nil {
		t.Fatal(err)
	}
	a := identified(t, town, "hanako")
	var offers municipality.Offers
	if _, body, problem := call(t, town, towntest.KioskKey, "/offers", a); problem != "" || json.Unmarshal(body, &offers) != nil || offers.Municipality.Code != to.Municipality {
		t.Errorf("%s %+v, want %s", problem, offers, to.Municipality)
	}
	file, problem := ordered(t, town, municipality.Order{Authentication: a, Document: municipality.Residence, Copies: 1})
	if words := joined(tool(t, file, "pdftotext", "-raw", "FILE", "-")); problem != "" || !strings.Contains(words, joined(to.Address)) || strings.Contains(words, "中之島一丁目") {
		t.Errorf("%s %s", problem, words)
	}
}

// joined is text without spaces and line ends.
func joined(words string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, words)
}

func TestASealIsCertifiedWhereOneIsRegistered(t *testing.T) {
	town := towntest.New(t)
	file, problem := ordered(t, town, municipality.Order{Authentication: identified(t, town, "hanako"), Document: municipality.Seal, Copies: 1})
	if words := tool(t, file, "pdftotext", "-raw", "FILE", "-"); problem != "" || !strings.Contains(words, "印鑑登録証明書") || !strings.Contains(joined(words), "割符花子") {
		t.Errorf("%s %s", problem, words)
	}
	a := identified(t, town, "uruu")
	_, body, _ := call(t, town, towntest.KioskKey, "/offers", a)
	if !strings.Contains(string(body), "seal-none") || !strings.Contains(string(body), `"fee":300`) {
		t.Errorf("offers: %s", body)
	}
	if _, problem := ordered(t, town, municipality.Order{Authentication: a, Document: municipality.Seal, Copies: 1}); problem != "seal-none" {
		t.Errorf("got %q", problem)
	}
}

func TestWhoIsRefusedAPaper(t *testing.T) {
	town := towntest.New(t)
	for id, want := range map[string]string{
		"sakura": "resident-too-young", "kyoko": "resident-restricted", "mika": "certificate-suspended", "shin": "certificate-revoked", "goro": "certificate-expired",
	} {
		if _, _, problem := call(t, town, towntest.KioskKey, "/offers", identified(t, town, id)); problem != want {
			t.Errorf("%s: %q, want %q", id, problem, want)
		}
	}
	a := identified(t, town, "taro")
	if err := town.Bureau.Suspend("taro"); err != nil { // between the offers and the paper
		t.Fatal(err)
	}
	if _, problem := ordered(t, town, municipality.Order{Authentication: a, Document: municipality.Residence, Copies: 1}); problem != "certificate-suspended" {
		t.Errorf("suspended meanwhile: %q", problem)
	}
	town.Silent = func() bool { return true }
	if _, _, problem := call(t, town, towntest.KioskKey, "/offers", identified(t, town, "hanako")); problem != "status-unavailable" {
		t.Errorf("without a responder: %q", problem)
	}
}

func TestAnAnswerServesWhereItWasAskedForAndOnce(t *testing.T) {
	town := towntest.New(t)
	a := identified(t, town, "taro")
	stolen := identified(t, town, "hanako")
	relayed := a
	relayed.Transaction = stolen.Transaction
	if status, _, problem := call(t, town, towntest.KioskKey, "/offers", relayed); status < 400 || problem == "" {
		t.Errorf("an answer to another question: %d", status)
	}
	relayed = a
	relayed.Certificate = stolen.Certificate
	if status, _, _ := call(t, town, towntest.KioskKey, "/offers", relayed); status < 400 {
		t.Error("another person's certificate beside the answer")
	}
	for name, o := range map[string]municipality.Order{
		"no such paper": {Authentication: a, Document: "passport", Copies: 1}, "no copy": {Authentication: a, Document: municipality.Residence},
		"eleven":     {Authentication: a, Document: municipality.Residence, Copies: 11},
		"no options": {Authentication: a, Document: municipality.Seal, Copies: 1, Options: municipality.Options{Relation: true}},
	} {
		if _, problem := ordered(t, town, o); problem != "municipality-request-malformed" {
			t.Errorf("%s: %q", name, problem)
		}
	}
	if _, problem := ordered(t, town, municipality.Order{Authentication: a, Document: municipality.Seal, Copies: 1}); problem != "" {
		t.Error(problem)
	}
	if _, problem := ordered(t, town, municipality.Order{Authentication: a, Document: municipality.Residence, Copies: 1}); problem != "municipality-question-used" {
		t.Errorf("a second paper: %q", problem)
	}
	if _, _, problem := call(t, town, "nobody's", "/challenges", struct{}{}); problem != "municipality-key-unknown" {
		t.Errorf("a kiosk that nobody knows: %q", problem)
	}
	town.Clock.Add(municipality.QuestionLife + time.Second)
	if _, _, problem := call(t, town, towntest.KioskKey, "/offers", stolen); problem != "municipality-question-unknown" {
		t.Errorf("too late: %q", problem)
	}
}

// A request of any kind is answered with JSON or a paper, never with a fault of the server.
func FuzzRequests(f *testing.F) {
	town := towntest.New(f)
	f.Add("/offers", `{"transaction":"","certificate":"","signature":""}`)
	f.Add("/certificates", `{"authentication":{"transaction":"x","certificate":"MAA=","signature":"AA=="},"document":"seal","copies":1}`)
	f.Add("/certificates", `{"document":"residence","copies":99999999999999999999}`)
	f.Add("/challenges", `[]`)
	f.Fuzz(func(t *testing.T, path, body string) {
		if path != "/offers" && path != "/certificates" {
			path = "/challenges"
		}
		if status, out, _ := call(t, town, towntest.KioskKey, path, json.RawMessage(quoted(body))); status >= 500 {
			t.Errorf("%s %q: %d %s", path, body, status, out)
		}
	})
}

// quoted is body where that is JSON, else a JSON string of it.
func quoted(body string) []byte {
	if json.Valid([]byte(body)) {
		return []byte(body)
	}
	b, _ := json.Marshal(body)
	return b
}

// What docs/municipality.md shows is what the server reads and writes.
func TestTheManualShowsWhatIsSent(t *testing.T) {
	page, err := os.ReadFile("../../docs/municipality.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := strings.Split(string(page), "```json\n")[1:]
	into := []any{&municipality.Challenge{}, &municipality.Authentication{}, &municipality.Offers{}, &municipality.Order{}}
	if len(shown) != len(into) {
		t.Fatalf("%d messages are shown", len(shown))
	}
	for i, block := range shown {
		message, _, _ := strings.Cut(block, "```")
		d := json.NewDecoder(strings.NewReader(message))
		d.DisallowUnknownFields()
		if err := d.Decode(into[i]); err != nil {
			t.Errorf("message %d: %v", i+1, err)
		}
	}
	for slug := range strings.SplitSeq("resident-too-young resident-closed resident-restricted seal-none municipality-question-used municipality-question-unknown", " ") {
		if !strings.Contains(string(page), slug) {
			t.Errorf("the manual does not tell of %s", slug)
		}
	}
}
