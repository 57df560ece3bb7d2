package server_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	_ "modernc.org/sqlite"

	"warifu"
	"warifu/internal/housetest"
	"warifu/phone"
	"warifu/sandbox/bank"
	"warifu/sandbox/doorway"
	"warifu/sandbox/person"
	"warifu/sandbox/world"
	"warifu/verify"
)

// canaries are values that stand for a person and their secrets: none of them may be
// found anywhere outside the sealed table.
var canaries = map[string]string{
	"name": "金糸雀　歌子", "family name": "金糸雀", "registered name": "金糸雀　謌子", "kana": "カナリヤ　ウタコ", "address": "東京都清瀬市中里五丁目小鳥荘七七号室", "telephone": "070-0987-6501",
	"card password": "KINSHIJAKU77", "card password, mistyped": "KINSHIJAKU78", "phone password": "UTAKONOUTA5", "phone password, guessed": "UTAKONOUTA6",
	"birth": "19870605", "document": "歌子の秘密の手紙 a letter nobody else shall read",
}

// short are the four-digit canaries. Four digits turn up anywhere in octets, so these
// are looked for in text, standing alone.
var short = map[string]string{"card PIN": "7193", "phone PIN": "8264"}

// dresses are the ways in which octets are usually written.
func dresses(value string) map[string][]byte {
	plain := []byte(value)
	out := map[string][]byte{
		"plain": plain, "hex": []byte(hex.EncodeToString(plain)), "HEX": []byte(strings.ToUpper(hex.EncodeToString(plain))),
		"url": []byte(url.QueryEscape(value)), "json": []byte(escaped(value)), "quoted": []byte(strings.Trim(strconv.Quote(value), `"`)),
		"UTF-16BE": wide(value, 1, 0), "UTF-16LE": wide(value, 0, 1),
	}
	for shift := range 3 {
		padded := append(make([]byte, shift), plain...)
		whole := base64.StdEncoding.EncodeToString(padded)
		first, last := (shift*8+5)/6, (len(padded)*8)/6 // characters that hold nothing but ours
		out[fmt.Sprint("base64 ", shift)] = []byte(whole[first:last])
		out[fmt.Sprint("base64url ", shift)] = []byte(strings.NewReplacer("+", "-", "/", "_").Replace(whole[first:last]))
	}
	return out
}

func escaped(value string) string {
	var out strings.Builder
	for _, r := range utf16.Encode([]rune(value)) {
		if r < 0x80 {
			out.WriteByte(byte(r))
		} else {
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.String()
}

func wide(value string, low, high int) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(value)) {
		pair := [2]byte{}
		pair[low], pair[high] = byte(u), byte(u>>8)
		out = append(out, pair[:]...)
	}
	return out
}

// find names the canaries in octets.
func find(octets []byte, more map[string]string) []string {
	var found []string
	for _, set := range []map[string]string{canaries, more} {
		for name, value := range set {
			for dress, pattern := range dresses(value) {
				if bytes.Contains(octets, pattern) {
					found = append(found, name+" ("+dress+")")
				}
			}
		}
	}
	return found
}

// findAlone names the short canaries that stand alone in a text.
func findAlone(text string) []string {
	var found []string
	digit := func(i int) bool { return i >= 0 && i < len(text) && text[i] >= '0' && text[i] <= '9' }
	for name, value := range short {
		for at := 0; ; at++ {
			i := strings.Index(text[at:], value)
			if i < 0 {
				break
			}
			at += i
			if !digit(at-1) && !digit(at+len(value)) && !(at > 0 && text[at-1] == '.') {
				found = append(found, name)
			}
		}
	}
	return found
}

// The search itself can find: a canary planted in every dress, at every place in
// octets that are otherwise like those searched.
func TestTheSearchFindsWhatIsPlanted(t *testing.T) {
	for name, value := range canaries {
		for dress, pattern := range dresses(value) {
			hay := append(bytes.Repeat([]byte{0xA5, 0, 'x'}, 700), append(pattern, "tail"...)...)
			if found := find(hay, nil); len(found) == 0 {
				t.Errorf("%s as %s is not found", name, dress)
			}
		}
		for shift := range 3 { // inside something longer that was encoded as a whole
			der := append(append(bytes.Repeat([]byte{0x30}, 300+shift), value...), 0x31, 0x32)
			for encoding, text := range map[string]string{
				"base64": base64.StdEncoding.EncodeToString(der), "base64url": base64.RawURLEncoding.EncodeToString(der), "hex": hex.EncodeToString(der), "octets": fmt.Sprintf("%X", der),
			} {
				if found := find([]byte(text), nil); len(found) == 0 {
					t.Errorf("%s inside %s at %d is not found", name, encoding, shift)
				}
			}
		}
		var logged bytes.Buffer
		slog.New(slog.NewTextHandler(&logged, nil)).Info("planted", "value", value)
		if len(find(logged.Bytes(), nil)) == 0 {
			t.Errorf("%s in a log is not found: %s", name, logged.String())
		}
		quoted, err := json.Marshal(value)
		must(t, err)
		if len(find(quoted, nil)) == 0 || len(find([]byte(fmt.Sprintf("%+q", value)), nil)) == 0 {
			t.Errorf("%s quoted is not found", name)
		}
	}
	for _, text := range []string{"pin=7193 ", `"8264"`, "7193"} {
		if len(findAlone(text)) == 0 {
			t.Errorf("%q: the PIN is not found", text)
		}
	}
	if found := find(bytes.Repeat([]byte("nothing of the kind 0123456789"), 100), nil); len(found) > 0 {
		t.Errorf("found %v where nothing is", found)
	}
	// A canary in a file of the server's folder, in a log and in a row is found by the very
	// functions that search them.
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "a.db-wal"), []byte("…"+canaries["name"]+"…"), 0o600))
	if len(searchFiles(t, dir, nil)) == 0 {
		t.Error("a planted file is not found")
	}
	db := filepath.Join(dir, "b.db")
	plant(t, db, canaries["address"])
	if len(searchRows(t, db, nil)) == 0 {
		t.Error("a planted row is not found")
	}
}

func plant(t *testing.T, file, value string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	must(t, err)
	defer db.Close()
	_, err = db.Exec(`CREATE TABLE jobs (id TEXT, payload BLOB); INSERT INTO jobs VALUES ('1', x'` + hex.EncodeToString([]byte(value)) + `')`)
	must(t, err)
}

// searchFiles looks through every octet of every file, sealed table and write-ahead log
// included: what is sealed must not be readable either.
func searchFiles(t *testing.T, dir string, more map[string]string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		octets, err := os.ReadFile(path)
		if found := find(octets, more); len(found) > 0 {
			out[path] = found
		}
		return err
	}))
	return out
}

// searchRows looks through every column of every row: a value may lie across two pages.
func searchRows(t *testing.T, file string, more map[string]string) map[string][]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro")
	must(t, err)
	defer db.Close()
	out := map[string][]string{}
	for _, table := range textsOf(t, db, `SELECT name FROM sqlite_master WHERE type = 'table'`) {
		rows, err := db.Query(`SELECT * FROM "` + table + `"`)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		cells, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		for rows.Next() {
			must(t, rows.Scan(to...))
			for i, cell := range cells {
				octets, ok := cell.([]byte)
				if !ok {
					octets = []byte(fmt.Sprint(cell))
				}
				found := find(octets, more)
				if _, text := cell.(string); text {
					found = append(found, findAlone(cell.(string))...)
				}
				if len(found) > 0 {
					out[table+"."+columns[i]] = found
				}
			}
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	return out
}

func textsOf(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.Query(query)
	must(t, err)
	defer rows.Close()
	for rows.Next() {
		var s string
		must(t, rows.Scan(&s))
		out = append(out, s)
	}
	must(t, rows.Err())
	return out
}

// heard is everything a wire carried towards the phone, and every address asked for.
type heard struct {
	http.RoundTripper
	mu  sync.Mutex
	all bytes.Buffer
}

// RoundTrip implements http.RoundTripper.
func (h *heard) RoundTrip(r *http.Request) (*http.Response, error) {
	h.note(r.URL.String(), fmt.Sprint(r.Header))
	response, err := h.RoundTripper.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	h.note(fmt.Sprint(response.Header))
	response.Body = &overheard{response.Body, h}
	return response, nil
}

func (h *heard) note(parts ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range parts {
		h.all.WriteString(p + "\n")
	}
}

// overheard is a body that is also noted down.
type overheard struct {
	io.ReadCloser
	h *heard
}

func (o *overheard) Read(p []byte) (int, error) {
	n, err := o.ReadCloser.Read(p)
	o.h.note(string(p[:n]))
	return n, err
}

// canaryPerson is listed at the bureau.
func canaryPerson(t *testing.T, w *world.World) {
	t.Helper()
	shipped, err := w.Bureau.Show("taro")
	must(t, err)
	r := shipped.Person.Record()
	r.ID, r.Name, r.Registered, r.NameSubstitution, r.Kana = "utako", canaries["name"], canaries["registered name"], "000010", canaries["kana"]
	r.Address, r.AddressSubstitution, r.Telephone, r.Birth, r.Sex = canaries["address"], "", canaries["telephone"], "1987-06-05", person.Female
	r.PINs.Signature, r.PINs.Authentication = canaries["card password"], short["card PIN"]
	r.CardIssued, r.CertificatesIssued = w.Clock.Now().AddDate(-1, 0, 0).Format(time.DateOnly), ""
	_, err = w.Bureau.New(r)
	must(t, err)
}

// TestNothingPersonalIsFoundAnywhere takes a person whose every attribute and secret is a
// canary through the whole walk, refused tries included, and looks for them in every log at
// level debug, every octet and row the server keeps, every answer and address on the
// wire, the notices and the metrics.
func TestNothingPersonalIsFoundAnywhere(t *testing.T) {
	logs := &housetest.Log{}
	handler := slog.NewTextHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})
	before, beforeLog := slog.Default(), log.Writer()
	slog.SetDefault(slog.New(handler))
	log.SetOutput(logs)
	defer func() { slog.SetDefault(before); log.SetOutput(beforeLog) }()

	dir := t.TempDir()
	w, err := world.Open(t.Context(), world.Config{Dir: dir, AnyPort: true, Scheme: "badge", Log: slog.New(handler)})
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- w.Run(ctx, func() error { close(ready); return nil }) }()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	canaryPerson(t, w)
	wire := &heard{RoundTripper: http.DefaultTransport}
	notices := walk(t, w, wire)
	metrics := fetch(t, w.Places.Server+"/metrics")
	provoke(t, w.Places.Server)
	for _, want := range []string{
		`warifu_applications{state="personalized"} 1`, "warifu_issued_applications{hour=", `warifu_notices_total{result="handed on"} 1`, `warifu_refusals_total{operation="apply",problem="`, `warifu_status_answers_total{answer="good",authority=`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}

	// What the phone is made of must not be found either: the attestation salts it.
	box := w.Maker.Phones()[0]
	more := map[string]string{"IMEI": box.IMEI, "phone's serial": box.Serial}
	view, err := w.Bureau.Show("utako")
	must(t, err)
	more["number"] = view.Person.Number

	report := func(where string, found []string) {
		if len(found) > 0 {
			t.Errorf("%s holds %v", where, found)
		}
	}
	live := searchFiles(t, filepath.Join(dir, "server"), more) // while it serves: write-ahead logs and all
	stop()
	must(t, <-ended)
	for where, found := range live {
		report("while serving, "+where, found)
	}
	for where, found := range searchFiles(t, filepath.Join(dir, "server"), more) {
		report(where, found)
	}
	rows := 0
	files, err := filepath.Glob(filepath.Join(dir, "server", "*.db"))
	must(t, err)
	for _, file := range files {
		rows++
		for where, found := range searchRows(t, file, more) {
			report(filepath.Base(file)+" "+where, found)
		}
	}
	if rows != 3 {
		t.Errorf("%d databases searched, want 3", rows)
	}
	for where, text := range map[string]string{"a log": logs.String(), "the metrics": metrics, "a notice": strings.Join(notices, " "), "the wire": wire.all.String()} {
		found := find([]byte(text), more)
		if where != "the metrics" { // any number of four digits is one there
			found = append(found, findAlone(text)...)
		}
		report(where, found)
		if len(text) < 20 {
			t.Errorf("%s: only %q was searched", where, text)
		}
	}
	if !strings.Contains(logs.String(), "level=DEBUG") {
		t.Error("nothing was logged at level debug: the search saw too little")
	}
}

func fetch(t *testing.T, address string) string {
	t.Helper()
	r, err := http.Get(address)
	must(t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	must(t, err)
	return string(b)
}

// provoke asks the server for things by a person's name, and sends it what it does not ask for.
func provoke(t *testing.T, origin string) {
	t.Helper()
	name := url.QueryEscape(canaries["name"])
	for _, path := range []string{"/applications/" + name, "/" + name, "/devices?day=" + name, "/api/v1/applications/" + name, "/ocsp/signature/" + name, "/api/v1/notices/" + name + "/events", "/api/v1/devices/banner?model=" + name} {
		_ = fetch(t, origin+path)
	}
	for _, path := range []string{"/api/v1/challenges", "/api/v1/applications", "/api/v1/devices/submissions", "/api/v1/sessions/s" + strings.Repeat("q", 26)} {
		body := fmt.Sprintf(`{"document":%q,"name":%q,"element":%q,"model":%q,"responses":[%q]}`, canaries["address"], canaries["name"], canaries["card password"], canaries["kana"], canaries["phone password"])
		r, err := http.Post(origin+path, "application/json", strings.NewReader(body))
		must(t, err)
		must(t, r.Body.Close())
	}
}

// walk goes the whole walk with everything that may be typed wrong, and returns the notices.
func walk(t *testing.T, w *world.World, wire *heard) []string {
	t.Helper()
	ctx := t.Context()
	hand, err := w.Phones.Handset(w.Phones.List()[0].ID)
	must(t, err)
	server, err := phone.NewServer(w.Places.Server, &http.Client{Transport: wire, Timeout: 15 * time.Second})
	must(t, err)
	app := hand.App(server, w.Scheme, w.Clock)
	card, err := w.Bureau.Card("utako")
	must(t, err)
	told := listen(t, app)
	secrets := phone.Secrets{Signature: canaries["phone password"], Authentication: short["phone PIN"]}

	choice := phone.Choice{Kinds: warifu.Kinds[:], Consent: w.Scheme.Consent, CardPassword: canaries["card password, mistyped"]}
	d, err := app.Begin(choice)
	must(t, err)
	must(t, app.Prepare(ctx, d))
	refused(t, "a wrong card password", app.SignWithCard(ctx, d, card))
	card.PowerOff()
	choice.CardPassword = canaries["card password"]
	d, err = app.Begin(choice)
	must(t, err)
	must(t, app.Prepare(ctx, d))
	must(t, app.SignWithCard(ctx, d, card))
	must(t, app.SetSecrets(ctx, d, secrets))
	for i, bad := range spoilt(d.Submission()) {
		_, err := server.Submit(ctx, bad)
		refused(t, fmt.Sprint("submission ", i), err)
	}
	must(t, app.Submit(ctx, d))
	var notices []string
	select {
	case id := <-told:
		notices = append(notices, id)
	case <-time.After(30 * time.Second):
		t.Fatal("no notice")
	}
	must(t, app.Personalize(ctx, phone.Personalization{}))
	use(t, w, app, secrets)
	_, err = app.Status(ctx)
	must(t, err)
	refused(t, "a withdrawal of what is personalized", app.Withdraw(ctx))
	return notices
}

func refused(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil {
		t.Errorf("%s was accepted", what)
	}
}

func listen(t *testing.T, app *phone.App) <-chan string {
	t.Helper()
	told, began := make(chan string, 8), make(chan struct{})
	go func() { _ = app.Notices(t.Context(), func() { close(began) }, func(id string) { told <- id }) }()
	<-began
	return told
}

// spoilt are submissions with something wrong in each part.
func spoilt(s phone.Submission) []phone.Submission {
	flip := func(b []byte) []byte {
		out := bytes.Clone(b)
		out[len(out)/2] ^= 1
		return out
	}
	document, attestation, chain, secrets, authentication := s, s, s, s, s
	document.Document = flip(s.Document)
	attestation.Attestation = flip(s.Attestation)
	chain.Chain = [][]byte{flip(s.Chain[0])}
	secrets.SecretsSet = nil
	authentication.CardAuthentication = flip(s.CardAuthentication)
	return []phone.Submission{document, attestation, chain, secrets, authentication}
}

// use signs, logs in by PIN and finger, and has it all believed.
func use(t *testing.T, w *world.World, app *phone.App, secrets phone.Secrets) {
	t.Helper()
	ctx := t.Context()
	document := []byte(canaries["document"])
	_, err := app.Sign(ctx, document, true, phone.Unlock{Typed: canaries["phone password, guessed"]})
	refused(t, "a guessed password", err)
	signature, err := app.Sign(ctx, document, true, phone.Unlock{Typed: secrets.Signature})
	must(t, err)
	finger := phone.Gesture{Method: phone.MethodFingerprint, Shown: "thumb"}
	must(t, app.EnableScreenLock(ctx, secrets.Authentication, finger))
	front := doorway.NewClient(w.Places.Bank)
	for _, unlock := range []phone.Unlock{{Typed: secrets.Authentication}, {Gesture: &finger}} {
		var asked bank.Asked
		must(t, front.Post(ctx, "/api/login", struct{}{}, &asked))
		answer, err := app.Login(ctx, asked.Question, front.Origin(), unlock)
		must(t, err)
		var customer bank.Customer
		must(t, front.Post(ctx, asked.Answer, answer, &customer))
	}
	trust, err := w.Trust()
	must(t, err)
	for _, by := range []verify.StatusChecker{verify.OCSPClient{Get: true}, &verify.CRLClient{}} {
		result, err := verify.New(trust, by, w.Clock).Document(ctx, signature, document, verify.Policy{Attributes: verify.AllAttributes})
		must(t, err)
		if result.Verdict != verify.Good || result.Attributes.Name != canaries["name"] {
			t.Errorf("verified: %s %q %v", result.Verdict, result.Attributes.Name, result.Reasons)
		}
	}
}
