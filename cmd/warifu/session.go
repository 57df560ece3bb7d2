package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"

	"golang.org/x/text/width"

	"warifu"
	"warifu/sandbox/desk"
	"warifu/sandbox/doorway"
	"warifu/text"
)

// session is one run of the program: where the demo is, whom it speaks to and how.
type session struct {
	ctx     context.Context
	server  string
	deskURL string
	json    bool
	lang    text.Lang
	std     streams
	typed   *bufio.Reader
}

func newSession(ctx context.Context, c commands, std streams) *session {
	return &session{ctx: ctx, server: strings.TrimSuffix(c.Server, "/"), deskURL: c.Desk, json: c.JSON,
		lang: language(c.Lang), std: std, typed: bufio.NewReader(std.in)}
}

// language resolves "auto" by the locale's variables, as POSIX orders them.
func language(wish string) text.Lang {
	if l, ok := text.Parse(wish); ok {
		return l
	}
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if strings.HasPrefix(v, "ja") {
				return text.Japanese
			}
			return text.English
		}
	}
	return text.English
}

// desk returns a client of the demo's desk.
func (s *session) desk() (doorway.Client, error) {
	if s.deskURL != "" {
		return doorway.NewClient(strings.TrimSuffix(s.deskURL, "/")), nil
	}
	u, err := url.Parse(s.server)
	if err != nil || u.Port() == "" {
		return doorway.Client{}, usage("--server")
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		return doorway.Client{}, usage("--server")
	}
	u.Host = net.JoinHostPort(u.Hostname(), strconv.Itoa(port+1))
	return doorway.NewClient(u.String()), nil
}

// places asks the desk where everything stands.
func (s *session) places() (desk.Places, error) {
	d, err := s.desk()
	if err != nil {
		return desk.Places{}, err
	}
	var p desk.Places
	err = d.Get(s.ctx, "/api/places", &p)
	return p, err
}

// phones returns a client of the place where the phones are.
func (s *session) phones() (doorway.Client, error) {
	p, err := s.places()
	return doorway.NewClient(p.Phones), err
}

// say answers: v as JSON, or the sentence of key.
func (s *session) say(v any, key string, params map[string]string) error {
	if s.json {
		return s.print(v)
	}
	_, err := fmt.Fprintln(s.std.out, s.sentence(key, params))
	return err
}

// sentence is that of key in the reader's language.
func (s *session) sentence(key string, params map[string]string) string {
	return text.Sentence(key, s.lang, params)
}

// print writes v as one line of JSON.
func (s *session) print(v any) error {
	e := json.NewEncoder(s.std.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table answers: v as JSON, or rows under their heads.
func (s *session) table(v any, rows [][]string) error {
	if s.json {
		return s.print(v)
	}
	_, err := io.WriteString(s.std.out, columns(rows))
	return err
}

// columns lays rows out by the width characters have on a terminal.
func columns(rows [][]string) string {
	var wide []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], cells(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row {
			b.WriteString(cell)
			if i < len(row)-1 {
				b.WriteString(strings.Repeat(" ", wide[i]-cells(cell)+2))
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// cells is how many columns of a terminal s takes: two for a wide or full-width
// character (UAX #11).
func cells(s string) int {
	n := 0
	for _, r := range s {
		switch k := width.LookupRune(r).Kind(); k {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}

// ask returns value, or what a person types after the question of key. It echoes:
// the sandbox's secrets protect nothing.
func (s *session) ask(value, key string) (string, error) {
	if value != "" {
		return value, nil
	}
	fmt.Fprint(s.std.err, text.Sentence(key, s.lang, nil), ": ")
	line, err := s.typed.ReadString('\n')
	if line = strings.TrimRight(line, "\r\n"); line == "" {
		fmt.Fprintln(s.std.err)
		return "", usage(text.Sentence(key, s.lang, nil))
	}
	if err != nil {
		fmt.Fprintln(s.std.err)
	}
	return line, nil
}

// exit tells a person or a program how it went and returns the exit code.
func (s *session) exit(err error) int {
	code := exitCode(err)
	switch {
	case code != exitDone && s.ctx.Err() != nil: // whatever it says, this is why
		fmt.Fprintln(s.std.err, s.sentence("cli.interrupted", nil))
		return exitInterrupted
	case code == exitDone || errors.Is(err, errTold): // kong joins errors
	case s.json:
		b, _ := json.Marshal(doorway.ProblemOf(err))
		fmt.Fprintln(s.std.err, string(b))
	default:
		s.explain(err)
	}
	return code
}

// errTold is the refusal of a command that has already said all there is to say.
var errTold = warifu.Refused("cli-told")

func (s *session) explain(err error) {
	e := warifu.ProblemOf(err)
	title, detail, next := text.Problem(e, s.lang)
	fmt.Fprintln(s.std.err, "warifu:", title)
	if detail != "" {
		fmt.Fprintln(s.std.err, " ", detail)
	}
	fmt.Fprintln(s.std.err, " ", next)
	if e.Code == warifu.CodeInternal && e.Err != nil {
		fmt.Fprintf(s.std.err, "  (%v)\n", e.Err)
	}
}
