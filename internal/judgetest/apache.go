package judgetest

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"text/template"
)

// apacheModules is where Debian has them.
const apacheModules = "/usr/lib/apache2/modules"

// configuration is Apache's, with mod_auth_openidc pinned to ES256 ID tokens, PKCE with S256
// and private_key_jwt. /me answers who is logged in and never begins a login; /login begins one.
var configuration = template.Must(template.New("apache").Parse(`
ServerRoot {{.Dir}}
ServerName 127.0.0.1
Listen 127.0.0.1:{{.Port}}
PidFile {{.Dir}}/pid
ErrorLog /dev/stderr
DocumentRoot {{.Dir}}/site
Mutex file:{{.Dir}}
DefaultRuntimeDir {{.Dir}}
{{if .Root}}User www-data
Group www-data
{{end}}LoadModule mpm_prefork_module {{.Modules}}/mod_mpm_prefork.so
LoadModule authn_core_module {{.Modules}}/mod_authn_core.so
LoadModule authz_core_module {{.Modules}}/mod_authz_core.so
LoadModule authz_user_module {{.Modules}}/mod_authz_user.so
LoadModule env_module {{.Modules}}/mod_env.so
LoadModule alias_module {{.Modules}}/mod_alias.so
LoadModule cgi_module {{.Modules}}/mod_cgi.so
LoadModule auth_openidc_module {{.Modules}}/mod_auth_openidc.so
StartServers 2
MaxRequestWorkers 8

OIDCProviderMetadataURL {{.Issuer}}/.well-known/openid-configuration
OIDCClientID {{.ClientID}}
OIDCPublicKeyFiles {{.Key.KeyID}}#{{.Dir}}/public.pem
OIDCPrivateKeyFiles {{.Key.KeyID}}#{{.Dir}}/private.pem
OIDCProviderTokenEndpointAuth private_key_jwt
OIDCRedirectURI {{.Origin}}/callback
OIDCCryptoPassphrase {{.Passphrase}}
OIDCScope "openid"
OIDCResponseType code
OIDCPKCEMethod S256
OIDCIDTokenSignedResponseAlg ES256
OIDCIDTokenIatSlack 60
OIDCSessionType server-cache
OIDCCacheType file
OIDCCacheDir {{.Dir}}/cache
OIDCJWKSRefreshInterval 300
OIDCStateMaxNumberOfCookies 7 true
OIDCCookieSameSite On
OIDCHTTPTimeoutShort 8
OIDCHTTPTimeoutLong 8
OIDCDefaultLoggedOutURL {{.Origin}}/me
{{if .MaxAge}}OIDCAuthRequestParams max_age={{.MaxAge}}
{{end}}
ScriptAlias /me {{.Dir}}/site/me
ScriptAlias /login {{.Dir}}/site/login
<Directory {{.Dir}}/site>
  Options +ExecCGI
</Directory>
<Location />
  AuthType openid-connect
  Require valid-user
</Location>
<Location /me>
  OIDCUnAuthAction 401
</Location>
`))

// me is who is logged in; login leads there.
const (
	meScript    = "#!/bin/sh\nprintf 'Content-Type: application/json\\r\\nCache-Control: no-store\\r\\n\\r\\n{\"sub\":\"%s\"}' \"$OIDC_CLAIM_sub\"\n"
	loginScript = "#!/bin/sh\nprintf 'Status: 303\\r\\nLocation: /me\\r\\nCache-Control: no-store\\r\\n\\r\\n'\n"
)

// ModAuthOpenIDC starts Apache with mod_auth_openidc. The party's key is RSA: with another
// kind that version signs no assertion.
func ModAuthOpenIDC(t testing.TB, p Party) {
	t.Helper()
	apache := Need(t, "apache2")
	if _, err := os.Stat(filepath.Join(apacheModules, "mod_auth_openidc.so")); err != nil {
		t.Skip("mod_auth_openidc is not on this machine: this judge was not heard")
	}
	dir, err := os.MkdirTemp("", "warifu-apache-") // not t.TempDir: Apache's children are another user and must get in
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	key, is := p.Key.Key.(*rsa.PrivateKey)
	if !is {
		t.Fatal("mod_auth_openidc wants an RSA key")
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"site", "cache"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	for name, what := range map[string]string{
		"private.pem": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
		"public.pem":  string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})),
		"site/me":     meScript, "site/login": loginScript,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(what), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	var text strings.Builder
	err = configuration.Execute(&text, struct {
		Party
		Dir, Modules, Passphrase string
		Root                     bool
	}{p, dir, apacheModules, fmt.Sprintf("%x", p.Key.KeyID), os.Geteuid() == 0})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "apache.conf")
	if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := openAll(dir); err != nil {
		t.Fatal(err)
	}
	run(t, p.Origin()+"/me", exec.Command(apache, "-D", "FOREGROUND", "-f", file))
}

// openAll lets Apache's own user into its folder.
func openAll(dir string) error {
	for name, mode := range map[string]os.FileMode{"": 0o777, "site": 0o755, "cache": 0o777} {
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			return err
		}
	}
	return nil
}
