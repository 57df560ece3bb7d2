package server_test

import (
	"strings"
	"testing"

	"warifu/server"
)

// Where people are sent to is an address that a browser hands to a program or a site, never
// something that it would run in our page.
func TestWhereALoginsPageSendsPeople(t *testing.T) {
	p := newPremises(t)
	for address, good := range map[string]bool{
		"": true, "https://app.example.jp/approve": true, "jp.example.app://approve": true, "http://127.0.0.1:8402/approve": true,
		"http://app.example.jp/approve": false, "javascript://x/%0aalert(1)": false, "javascript:alert(1)": false, "data:text/html,x": false,
		"/approve": false, "https://me@app.example.jp/": false, "https://app.example.jp/#x": false, "file://host/etc/passwd": false, "https:app": false,
	} {
		for name := range map[string]bool{"app": true, "reader": true} {
			c := p.config
			c.Login = server.LoginConfig{App: address}
			if name == "reader" {
				c.Login = server.LoginConfig{Reader: address}
			}
			err := c.Check()
			if good && err != nil {
				t.Errorf("%s %q: %v", name, address, err)
			}
			if !good && (err == nil || !strings.Contains(err.Error(), "[login] "+name)) {
				t.Errorf("%s %q is taken: %v", name, address, err)
			}
		}
	}
}
