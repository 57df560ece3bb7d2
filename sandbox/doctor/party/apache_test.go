package party_test

import (
	"bytes"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"warifu/sandbox/doctor/party"
)

// TestNoFaultInModAuthOpenIDC examines Debian's Apache module, unmodified: pages instead of
// JSON, a session cookie, a place that is protected rather than a login page, a secret.
func TestNoFaultInModAuthOpenIDC(t *testing.T) {
	const apache, module = "/usr/sbin/apache2", "/usr/lib/apache2/modules/mod_auth_openidc.so"
	_, server := os.Stat(apache)
	if _, there := os.Stat(module); server != nil || there != nil {
		t.Skip("NOT RUN: apache2 with mod_auth_openidc is not here (build/prepare.sh installs both)")
	}
	l, issuer := listen(t)
	at, err := url.Parse("http://" + freePort(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := apacheFolder(t, at.Port(), issuer)
	c := party.Config{
		Issuer: issuer, Run: []string{apache, "-f", filepath.Join(dir, "httpd.conf"), "-X"},
		Client: party.Client{ID: clientID, RedirectURI: "/protected/callback", Authentication: "client_secret_basic", OneProvider: true},
		Login:  party.Login{Start: "/protected/", Logout: "/protected/callback?logout=" + url.QueryEscape(at.String()+"/")},
		Who:    party.Who{URL: "/protected/", Match: `Hello, <b>([^<]+)</b>`},
	}
	if err := c.Complete(at.String()); err != nil {
		t.Fatal(err)
	}
	x := open(t, c, l)
	var printed bytes.Buffer
	if err := x.Start(t.Context(), &printed); err != nil {
		t.Fatal(err)
	}
	if err := x.Reach(t.Context()); err != nil {
		t.Fatal(err, printed.String())
	}
	noFault(t, x, at.String())
}

// apacheFolder is a server's folder with a protected page; whom the server runs as reads it.
func apacheFolder(t *testing.T, port, issuer string) string {
	t.Helper()
	dir := t.TempDir()
	pages := filepath.Join(dir, "htdocs", "protected")
	for _, err := range []error{os.Chmod(filepath.Dir(dir), 0o755), os.MkdirAll(pages, 0o755),
		os.WriteFile(filepath.Join(pages, "index.shtml"), []byte(`<p>Hello, <b><!--#echo var="REMOTE_USER" --></b> <!--#echo var="OIDC_CLAIM_name" --></p>`), 0o644)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	template, err := os.ReadFile("testdata/mod_auth_openidc/httpd.conf")
	if err != nil {
		t.Fatal(err)
	}
	conf := strings.NewReplacer("{dir}", dir, "{port}", port, "{issuer}", issuer, "{user}", "www-data").Replace(string(template))
	if err := os.WriteFile(filepath.Join(dir, "httpd.conf"), []byte(conf), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}
