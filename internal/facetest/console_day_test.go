package facetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warifu"
	"warifu/internal/browsertest"
	"warifu/internal/worldtest"
	"warifu/sandbox/world"
	"warifu/server"
	"warifu/text"
)

// premises is a server without a sandbox's ways in, set up as docs/operators.md says, of the card
// bureau and the makers of a world. It returns its origin and the link that its first start told.
func premises(t *testing.T) (origin, link string) {
	t.Helper()
	var from string
	w := worldtest.Stand(t, func(c *world.Config) { from = c.Dir })
	dir := t.TempDir()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	origin = "http://" + listen
	config := fmt.Sprintf(`origin = %q
listen = %q
scheme = "badge"
makers = %q
[store]
dsn = "sqlite:registration.db"
[keys]
dir = "keys"
passphrase_file = "passphrase"
[authority.signature]
ledger = "sqlite:ledger-signature.db"
certificate = "signature.cer"
[authority.authentication]
ledger = "sqlite:ledger-authentication.db"
certificate = "authentication.cer"
[cards]
bureau = %q
signature = %q
authentication = %q
statement_key = %q
`, origin, listen, filepath.Join(from, "server/makers"), w.Places.Desk+"/bureau", filepath.Join(from, "server/cards-signature.cer"), filepath.Join(from, "server/cards-authentication.cer"), filepath.Join(from, "server/statement.pem"))
	for name, content := range map[string]string{"warifud.toml": config, "passphrase": "a passphrase for tests\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := server.ReadConfig(filepath.Join(dir, "warifud.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Ceremony(c, warifu.SystemClock{}, func(string, ...any) {}); err != nil {
		t.Fatal(err)
	}
	if err := server.Migrate(t.Context(), c, func(string, ...any) {}); err != nil {
		t.Fatal(err)
	}
	s, err := server.New(t.Context(), c, server.Options{OnBootstrap: func(told string) { link = told }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	worldtest.Until(t, "the server listens", func() bool {
		c, err := net.Dial("tcp", listen)
		return err == nil && c.Close() == nil
	})
	return strings.Replace(origin, "127.0.0.1", "localhost", 1), link
}

// The first day: the link that was printed, a name, a passkey; links that do not work; an
// invitation for each role, and what each of them sees and is refused.
func TestTheFirstDayAtTheConsole(t *testing.T) {
	Long(t)
	b := browsertest.Open(t)
	origin, link := premises(t)
	console := origin + "/console"
	for i, walk := range walks {
		page := b.Page(t, walk.size, string(walk.lang)).Go(console).Until("[data-passkey-go]").Shot("day-sign-in").Whole(t)
		page.Passkeys().Click("[data-passkey-go]").Until(`[data-passkey-said]:not(:empty)`).Alone(t) // nobody has one yet
		page.Go(console + "/enrol/" + strings.Repeat("A", 43)).Until(".problem").Shot("day-link-wrong").Whole(t)
		if i > 0 {
			continue
		}
		admin := b.Page(t, walk.size, string(walk.lang)).Passkeys().Go(link).Until(`input[name="name"]`).Shot("day-first-link").Whole(t)
		admin.Eval(`document.querySelector('input[name="name"]').removeAttribute("pattern"); 0`, nil)
		admin.Type(`input[name="name"]`, "青井　Ａ").Click(`form[method="get"] button`).Until(".problem").Shot("day-name-wrong").Whole(t)
		admin.Type(`input[name="name"]`, "nao").Click(`form[method="get"] button`).Until("[data-passkey-go]").Shot("day-make").Whole(t)
		admin.Click("[data-passkey-go]").Until(".desk-who").Shot("day-home").Whole(t)
		b.Page(t, walk.size, string(walk.lang)).Go(link).Until(".problem").Shot("day-link-used").Whole(t)
		admin.Go(console + "/staff").Until(".care").Shot("day-staff").Whole(t)
		team(t, b, admin, console)
	}
}

// roles are the others, what each opens first and what it is refused.
var roles = []struct{ role, opens, refused string }{
	{"hotline", "/hotline", "/audit"}, {"registrar", "/queue", "/staff"}, {"auditor", "/calls", "/hotline"}, {"catalogue", "/catalogue", "/figures"}, {"administrator", "/staff", "/queue"},
}

func team(t *testing.T, b *browsertest.Browser, admin *browsertest.Page, console string) {
	t.Helper()
	for _, r := range roles {
		name := "new." + r.role
		admin.Go(console+"/staff").Type(`input[name="name"]`, name).Choose(`select[name="role"]`, r.role).Click(`form[action$="/invitations"] button`)
		link := strings.TrimSpace(admin.Until(".one-time").Text(".one-time"))
		page := b.Page(t, browsertest.Desktop, "en").Passkeys().Go(link).Until("[data-passkey-go]").Shot("day-invited-" + r.role).Whole(t)
		page.Click("[data-passkey-go]").Until(".desk-who").Shot("day-home-" + r.role).Whole(t)
		page.Click(`a[href="/console` + r.opens + `"]`).Whole(t)
		title, _, _ := text.Problem(warifu.Refused("console-role", "role", r.role), text.English)
		page.Go(console + r.refused).See(title).Shot("day-refused").Whole(t)
	}
	page := b.Page(t, browsertest.Phone, "ja").Go(console)
	page.Until("[data-passkey-go]").Whole(t)
}
