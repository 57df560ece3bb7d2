package party_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"warifu"
	"warifu/sandbox/doctor/party"
)

const goodConfig = `issuer = "http://127.0.0.1:8490/api/realms/main"
[client]
id = "a"
redirect_uri = "/callback"
[login]
start = "/login"
[who]
url = "/me"
json = "/sub"
`

func TestAConfigurationIsReadAgainstTheURL(t *testing.T) {
	c, err := party.ReadConfig(strings.NewReader(goodConfig), "http://127.0.0.1:3000/app/")
	if err != nil {
		t.Fatal(err)
	}
	if c.Login.Start != "http://127.0.0.1:3000/login" || c.Client.RedirectURI != "http://127.0.0.1:3000/callback" || c.Listen != "127.0.0.1:8490" || c.Client.Authentication != "private_key_jwt" {
		t.Errorf("%+v", c)
	}
}

func TestAWrongConfigurationIsRefusedByName(t *testing.T) {
	cases := map[string][2]string{ // what → from, to
		"issuer":                {"http://127.0.0.1:8490/api/realms/main", "127.0.0.1"},
		"listen":                {"127.0.0.1:8490", "example.org"},
		"client.id":             {`id = "a"`, ""},
		"client.redirect_uri":   {`redirect_uri = "/callback"`, ""},
		"client.authentication": {`id = "a"`, "id = \"a\"\nauthentication = \"tls\""},
		"client.algorithm":      {`id = "a"`, "id = \"a\"\nalgorithm = \"HS256\""},
		"login.start":           {`start = "/login"`, `start = "ftp://x/"`},
		"login.method":          {`start = "/login"`, "start = \"/login\"\nmethod = \"PUT\""},
		"who.url":               {`url = "/me"`, ""},
		"who.json":              {`json = "/sub"`, `json = "sub"`},
		"who.json, who.match":   {`json = "/sub"`, ""},
		"who.match":             {`json = "/sub"`, `match = "no group"`},
		"who.claim":             {`url = "/me"`, "url = \"/me\"\nclaim = \"email\""},
		"demands.class":         {"[who]", "[demands]\nclass = \"passport\"\n[who]"},
		"wish":                  {"[client]", "wish = 1\n[client]"},
		"verifier.good":         {"[who]", "[verifier]\nurl = \"/v\"\n[who]"},
		"verifier.forms":        {"[who]", "[verifier]\nurl = \"/v\"\ngood = \"/a\"\nforms = [\"docx\"]\n[who]"},
		"verifier.encoding":     {"[who]", "[verifier]\nurl = \"/v\"\ngood = \"/a\"\nencoding = \"raw\"\n[who]"},
		"verifier.good_match":   {"[who]", "[verifier]\nurl = \"/v\"\ngood_match = \"(\"\n[who]"},
		"issuer, verifier":      {`issuer = "http://`, `issuer = "https://`},
	}
	for what, c := range cases {
		t.Run(what, func(t *testing.T) {
			file := strings.Replace(goodConfig, c[0], c[1], 1)
			if what == "issuer, verifier" {
				file += "[verifier]\nurl = \"/v\"\ngood = \"/a\"\n"
			}
			_, err := party.ReadConfig(strings.NewReader(file), "http://127.0.0.1:3000")
			if e := warifu.ProblemOf(err); e == nil || e.Problem != "doctor-config" || e.Params["what"] != what {
				t.Errorf("%v in\n%s", err, file)
			}
		})
	}
	for _, file := range []string{"=", `patience = "long"`, `patience = "-1s"`} {
		if _, err := party.ReadConfig(strings.NewReader(file), "http://127.0.0.1:3000"); !errors.Is(err, warifu.Invalid("doctor-config")) {
			t.Errorf("%q: %v", file, err)
		}
	}
	if _, err := party.ReadConfig(bytes.NewReader(make([]byte, 1<<20)), "http://x"); !errors.Is(err, warifu.TooLarge("doctor-config-large")) {
		t.Error(err)
	}
}

func FuzzReadConfig(f *testing.F) {
	f.Add([]byte(goodConfig), "http://127.0.0.1:3000")
	f.Add([]byte(strings.Replace(goodConfig, `json = "/sub"`, `match = "(x)"`, 1)), "https://rp.example/app")
	f.Add([]byte(goodConfig+"[verifier]\nurl = \"/v\"\ngood = \"/a\"\n"), "http://[::1]:1")
	f.Fuzz(func(t *testing.T, file []byte, target string) {
		c, err := party.ReadConfig(bytes.NewReader(file), target)
		if err != nil {
			return
		}
		for _, address := range []string{c.Login.Start, c.Who.URL, c.Client.RedirectURI} {
			if !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
				t.Errorf("%q is no address", address)
			}
		}
	})
}

func FuzzPointed(f *testing.F) {
	f.Add(`{"a":{"b":["x",{"c/d":1}]}}`, "/a/b/1/c~1d")
	f.Add(`[true]`, "/0")
	f.Add(`{}`, "/")
	f.Fuzz(func(t *testing.T, document, pointer string) {
		if v := party.Pointed(document, pointer); v != "" && !strings.HasPrefix(pointer, "/") {
			t.Errorf("%q found without a pointer", v)
		}
	})
}

func TestPointed(t *testing.T) {
	const document = `{"person":{"sub":"x","n":5,"ok":true,"no":false,"list":[{"a/b":"y"}]}}`
	for pointer, want := range map[string]string{"/person/sub": "x", "/person/n": "5", "/person/ok": "true", "/person/no": "", "/person/list/0/a~1b": "y",
		"/person": "", "/person/list/1": "", "/person/list/x": "", "/nobody/sub": "", "/person/sub/x": ""} {
		if got := party.Pointed(document, pointer); got != want {
			t.Errorf("%s is %q, want %q", pointer, got, want)
		}
	}
}
