package party

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"warifu/sandbox/doctor"
)

// sessionCases look at what a browser keeps, and at where it is sent.
func (x *Examination) sessionCases() []doctor.Case {
	session := func(id string, level doctor.Level, clause string, run func(context.Context) doctor.Finding) doctor.Case {
		return x.guarded(themeSession, id, level, clause, run)
	}
	return []doctor.Case{
		session("cookie-flags", doctor.Must, "RFC 6265 §4.1.2; OWASP ASVS V3", x.cookieFlags),
		session("session-fixed", doctor.Must, "CWE-384; OWASP ASVS V3", x.sessionFixed),
		session("two-browsers", doctor.Must, "OIDC Core §3.1", x.twoPersons),
		x.needing("state", "state-sent", session("two-tabs", doctor.Should, "OIDC Core §3.1", x.twoTabs)),
		session("return-elsewhere", doctor.Must, "RFC 9700 §4.11; CWE-601", x.returnElsewhere),
		session("tokens-not-in-addresses", doctor.Must, "RFC 6750 §5.3; RFC 9700 §4.3", x.addresses),
		session("code-leaves-address", doctor.Should, "RFC 9700 §4.2.4, §4.3.1", x.codeLeaves),
		session("tokens-not-in-pages", doctor.Should, "RFC 9700 §4.3", x.tokensKept),
		session("logout", doctor.Must, "OWASP ASVS V3", x.logout),
		session("logout-ends-session", doctor.Should, "CWE-613; OWASP ASVS V3", x.logoutEnds),
	}
}

// in logs somebody in honestly; the finding says why when that fails.
func (x *Examination) in(ctx context.Context) (visit, *doctor.Finding) {
	v := x.attempt(ctx, act{})
	if f := x.admitted(v); f.Outcome != doctor.Pass {
		unsure := doctor.Unsure(f.Notes...)
		return v, &unsure
	}
	return v, nil
}

// cookieFlags finds the cookies without which nobody is logged in, and looks at their flags.
func (x *Examination) cookieFlags(ctx context.Context) doctor.Finding {
	v, bad := x.in(ctx)
	if bad != nil {
		return *bad
	}
	at, err := url.Parse(x.config.Who.URL)
	if err != nil {
		return doctor.Unsure(doctor.Seen("broken", "what", err.Error()))
	}
	found := 0
	for _, c := range v.browser.jar.Cookies(at) {
		if who, err := x.who(ctx, x.browserWith(v.browser.jar.without(at, c.Name))); err != nil || who != "" {
			continue
		}
		found++
		set := v.browser.jar.set[c.Name]
		switch {
		case set == nil:
		case !set.HttpOnly:
			return doctor.Found(doctor.Seen("cookie", "name", c.Name, "flag", "HttpOnly"))
		case at.Scheme == "https" && !set.Secure:
			return doctor.Found(doctor.Seen("cookie", "name", c.Name, "flag", "Secure"))
		case set.SameSite == http.SameSiteNoneMode:
			return doctor.Found(doctor.Seen("cookie", "name", c.Name, "flag", "SameSite=Lax"))
		case set.Domain != "":
			return doctor.Found(doctor.Seen("cookie", "name", c.Name, "flag", "host-only (Domain)"))
		}
	}
	if found == 0 {
		return doctor.Skip(doctor.Seen("no-cookie"))
	}
	return doctor.Passed()
}

// sessionFixed looks whether what a browser held before the login is logged in after it.
func (x *Examination) sessionFixed(ctx context.Context) doctor.Finding {
	at, err := url.Parse(x.config.Who.URL)
	if err != nil {
		return doctor.Unsure(doctor.Seen("broken", "what", err.Error()))
	}
	b := x.begin(ctx, x.browser(), nil)
	if b.login == nil {
		return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(b.pages)))
	}
	before := b.browser.jar.without(at, "")
	if f := x.admitted(x.finish(ctx, b, act{})); f.Outcome != doctor.Pass {
		return doctor.Unsure(f.Notes...)
	}
	if who, err := x.who(ctx, x.browserWith(before)); err == nil && who != "" {
		return doctor.Found(doctor.Seen("let-in", "who", who))
	}
	return doctor.Passed()
}

// twoPersons begins two logins in two browsers and ends them crosswise: each is themselves.
func (x *Examination) twoPersons(ctx context.Context) doctor.Finding {
	one, two := x.begin(ctx, x.browser(), nil), x.begin(ctx, x.browser(), nil)
	second, first := x.finish(ctx, two, act{}), x.finish(ctx, one, act{})
	for _, v := range []visit{first, second} {
		if f := x.admitted(v); f.Outcome != doctor.Pass {
			return f
		}
	}
	if who, err := x.who(ctx, two.browser); err != nil || !x.is(who, two.login) {
		return doctor.Found(doctor.Seen("other", "who", shown(who)))
	}
	return doctor.Passed()
}

// twoTabs begins two logins in one browser and ends them the other way round: each shall
// end well.
func (x *Examination) twoTabs(ctx context.Context) doctor.Finding {
	b := x.browser()
	one, two := x.begin(ctx, b, nil), x.begin(ctx, b, nil)
	if one.login == nil || two.login == nil {
		return doctor.Unsure(doctor.Seen("no-begin", "status", statusOf(two.pages)))
	}
	for _, v := range []visit{x.finish(ctx, two, act{}), x.finish(ctx, one, act{})} {
		if f := x.civilly(v); f.Outcome != doctor.Pass {
			return f
		}
		if f := x.admitted(v); f.Outcome != doctor.Pass {
			return f
		}
	}
	return doctor.Passed()
}

// returnElsewhere asks to be sent to somebody else's site after the login.
func (x *Examination) returnElsewhere(ctx context.Context) doctor.Finding {
	name := x.config.Login.ReturnTo
	if name == "" {
		return doctor.Skip(doctor.Seen("unset", "field", "login.return_to"))
	}
	tried := false
	for _, to := range []string{"https://evil.doctor.invalid/", "//evil.doctor.invalid/", `/\evil.doctor.invalid/`, "https:evil.doctor.invalid/", "/\t/evil.doctor.invalid/"} {
		b := x.begin(ctx, x.browser(), url.Values{name: {to}})
		if b.login == nil { // refused at once, which is as good
			if away := last(b.pages).to; away != nil && leaves(away) {
				return doctor.Found(doctor.Seen("sent-to", "address", away.String()))
			}
			continue
		}
		tried = true
		for _, p := range x.finish(ctx, b, act{}).back {
			if at := p.header.Get("Location"); p.to != nil && (leaves(p.to) || slashes(at)) {
				return doctor.Found(doctor.Seen("sent-to", "address", at))
			}
		}
	}
	if !tried && !x.shape(ctx).let {
		return doctor.Unsure(doctor.Seen("honest-first"))
	}
	return doctor.Passed()
}

func leaves(u *url.URL) bool { return strings.HasSuffix(u.Hostname(), "evil.doctor.invalid") }

// slashes reports whether browsers read an address as another host's, which RFC 3986 does
// not: they drop tabs and take a backslash for a slash.
func slashes(address string) bool {
	plain := strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(address)
	return strings.HasPrefix(plain, "//") || strings.HasPrefix(plain, "https:evil")
}

// addresses wants no token in any address a browser is sent to or shows.
func (x *Examination) addresses(ctx context.Context) doctor.Finding {
	v, bad := x.in(ctx)
	if bad != nil {
		return *bad
	}
	for _, p := range v.back {
		at := p.header.Get("Location")
		for name, secret := range map[string]string{"access_token": v.login.access, "id_token": v.login.idToken} {
			if strings.Contains(at, secret) || strings.Contains(p.url.String(), secret) {
				return doctor.Found(doctor.Seen("in-address", "name", name))
			}
		}
	}
	return doctor.Passed()
}

// codeLeaves wants the browser sent on from the address with the code, or no Referer.
func (x *Examination) codeLeaves(ctx context.Context) doctor.Finding {
	v, bad := x.in(ctx)
	if bad != nil {
		return *bad
	}
	end := last(v.back)
	policy := end.header.Get("Referrer-Policy")
	if end.to == nil && strings.Contains(end.url.RawQuery, v.login.code) && policy != "no-referrer" && policy != "same-origin" && policy != "origin" && policy != "strict-origin" {
		return doctor.Found(doctor.Seen("in-address", "name", "code"))
	}
	return doctor.Passed()
}

// tokensKept wants the tokens to stay on the server: in no page and no cookie.
func (x *Examination) tokensKept(ctx context.Context) doctor.Finding {
	v, bad := x.in(ctx)
	if bad != nil {
		return *bad
	}
	for _, p := range v.back {
		for name, secret := range map[string]string{"access_token": v.login.access, "id_token": v.login.idToken} {
			if p.to == nil && strings.Contains(p.body, secret) || strings.Contains(strings.Join(p.header.Values("Set-Cookie"), "\n"), secret) {
				return doctor.Found(doctor.Seen("in-page", "name", name, "path", p.url.Path))
			}
		}
	}
	return doctor.Passed()
}

// out logs out the way the configuration says; ok is false where it says none.
func (x *Examination) out(ctx context.Context, b *browser) (ok bool, err error) {
	if x.config.Login.Logout == "" {
		return false, nil
	}
	var form url.Values
	if x.config.Login.LogoutMethod == http.MethodPost {
		form = url.Values{}
	}
	_, err = b.follow(ctx, x.config.Login.LogoutMethod, x.config.Login.Logout, form)
	return true, err
}

func (x *Examination) logout(ctx context.Context) doctor.Finding {
	v, bad := x.in(ctx)
	if bad != nil {
		return *bad
	}
	ok, err := x.out(ctx, v.browser)
	if !ok {
		return doctor.Skip(doctor.Seen("unset", "field", "login.logout"))
	}
	if err != nil {
		return doctor.Found(doctor.Seen("broken", "what", err.Error()))
	}
	if who, _ := x.who(ctx, v.browser); who != "" {
		return doctor.Found(doctor.Seen("let-in", "who", who))
	}
	return doctor.Passed()
}

// logoutEnds brings back the cookies from before the logout.
func (x *Examination) logoutEnds(ctx context.Context) doctor.Finding {
	v, bad := x.in(ctx)
	if bad != nil {
		return *bad
	}
	at, err := url.Parse(x.config.Who.URL)
	if err != nil {
		return doctor.Unsure(doctor.Seen("broken", "what", err.Error()))
	}
	kept := v.browser.jar.without(at, "")
	if ok, err := x.out(ctx, v.browser); !ok || err != nil {
		return doctor.Skip(doctor.Seen("unset", "field", "login.logout"))
	}
	if who, _ := x.who(ctx, v.browser); who != "" {
		return doctor.Skip(doctor.Seen("see", "case", "logout"))
	}
	if who, _ := x.who(ctx, x.browserWith(kept)); who != "" {
		return doctor.Found(doctor.Seen("let-in", "who", who))
	}
	return doctor.Passed()
}
