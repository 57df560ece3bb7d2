package warifu_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"
)

// maxDependencies bounds the direct dependencies of what ships.
const maxDependencies = 22

// pages are all Markdown files of the repository.
var pages = sync.OnceValue(func() []string {
	var out []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"dist", "tmp", "node_modules", "testdata"}, d.Name())):
			return filepath.SkipDir
		case strings.HasSuffix(path, ".md"):
			out = append(out, filepath.ToSlash(path))
		}
		return nil
	})
	if err != nil {
		panic(err)
	}
	return out
})

func readPage(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// block is a fenced part of a page.
type block struct{ language, text string }

var fence = regexp.MustCompile("(?ms)^```([a-z0-9]*)\n(.*?)^```$")

func blocks(page string) (out []block) {
	for _, m := range fence.FindAllStringSubmatch(page, -1) {
		out = append(out, block{m[1], m[2]})
	}
	return out
}

var (
	heading = regexp.MustCompile(`(?m)^(#+) (.*)$`)
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	// picture is the end of a screen's name, which says its language and size.
	picture = regexp.MustCompile(`\.(?:ja|en)\.(phone|desktop)\.png`)
)

// What holders read stands in two languages, heading by heading, command by command.
func TestPagesInTwoLanguagesSayTheSame(t *testing.T) {
	for _, name := range []string{"README", "docs/life", "docs/relying-party"} {
		t.Run(name, func(t *testing.T) { sameInBoth(t, name+".md", name+".ja.md") })
	}
}

func sameInBoth(t *testing.T, en, ja string) {
	t.Helper()
	english, japanese := readPage(t, en), readPage(t, ja)
	levels := func(page string) (out []string) {
		for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
			out = append(out, m[1])
		}
		return out
	}
	if en, ja := levels(english), levels(japanese); !slices.Equal(en, ja) {
		t.Errorf("headings are %v in English and %v in Japanese", en, ja)
	}
	code := func(page string) (out []block) {
		return slices.DeleteFunc(blocks(page), func(b block) bool { return b.language == "mermaid" }) // has words in it
	}
	if en, ja := code(english), code(japanese); !slices.Equal(en, ja) {
		t.Errorf("code differs:\n%q\n%q", en, ja)
	}
	links := func(page string) (out []string) {
		for _, m := range link.FindAllStringSubmatch(picture.ReplaceAllString(page, ".$1.png"), -1) {
			page, _, _ := strings.Cut(m[1], "#") // a heading has another name in each
			out = append(out, strings.Replace(page, ".ja.md", ".md", 1))
		}
		return out
	}
	if en, ja := links(english), links(japanese); !slices.Equal(en, ja) {
		t.Errorf("links are %v in English and %v in Japanese", en, ja)
	}
}

// anchor is the fragment by which forges reach a heading.
func anchor(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}

func anchors(page string) (out []string) {
	for _, m := range heading.FindAllStringSubmatch(fence.ReplaceAllString(page, ""), -1) {
		out = append(out, anchor(m[2]))
	}
	return out
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	for _, name := range pages() {
		page := fence.ReplaceAllString(readPage(t, name), "")
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			path, fragment, _ := strings.Cut(m[1], "#")
			target := name
			if path != "" {
				target = filepath.Join(filepath.Dir(name), filepath.FromSlash(path))
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %s leads nowhere", name, m[1])
				continue
			}
			if fragment != "" && !slices.Contains(anchors(readPage(t, target)), fragment) {
				t.Errorf("%s: %s has no such heading", name, m[1])
			}
		}
	}
}

// shown finds commands as pages show them: in code, at the beginning or behind a
// folder or "go run".
var shown = regexp.MustCompile("(?m)(?:^|[`(|;&]\\s*|go run \\.?/?(?:cmd/)?)(?:(?:\\./|bin/|cmd/)*)(warifud?)((?: +[^\\s`|;&)#\"]+)*)")

// leaves are the commands a program has, as its own help lists them.
func leaves(t *testing.T, program string) (out []string) {
	t.Helper()
	_, list, _ := strings.Cut(help(t, program), "Commands:")
	for _, m := range regexp.MustCompile(`(?m)^  ([a-z-]+(?: [a-z-]+)?)(?: .*)?$`).FindAllStringSubmatch(list, -1) {
		out = append(out, m[1])
	}
	return out
}

func help(t *testing.T, program string, path ...string) string {
	t.Helper()
	b, err := exec.Command(program, append(path, "--help")...).Output()
	if err != nil {
		t.Fatalf("%s %v --help: %v", program, path, err)
	}
	return string(b)
}

// programs builds both commands once.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "warifu-docs-")
	if err != nil {
		return "", err
	}
	b, err := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./cmd/warifu", "./cmd/warifud").CombinedOutput()
	if err != nil {
		err = &fs.PathError{Op: "go build", Path: string(b), Err: err}
	}
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, _ := programs(); dir != "" {
		_ = os.RemoveAll(dir)
	}
	os.Exit(code)
}

func TestEveryCommandShownExists(t *testing.T) {
	dir, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]*manual{}
	for _, name := range []string{"warifu", "warifud"} {
		known[name] = &manual{program: filepath.Join(dir, name), leaves: leaves(t, filepath.Join(dir, name)), help: map[string]string{}}
	}
	if len(known["warifu"].leaves) < 10 || len(known["warifud"].leaves) < 4 {
		t.Fatalf("found only %v and %v: the test does not see the programs", known["warifu"].leaves, known["warifud"].leaves)
	}
	for _, wrong := range []string{"warifu fly", "warifu phone fly", "warifu phone apply phone-1 --wings", "warifud check --confi FILE"} {
		if known[strings.Fields(wrong)[0]].fault(t, wrong) == "" {
			t.Errorf("the test does not see that %q is wrong", wrong)
		}
	}
	found := 0
	for _, name := range pages() {
		if name == "docs/design.md" || strings.HasPrefix(name, "docs/adr/") { // plans, and decisions of their day
			continue
		}
		for _, line := range commandLines(readPage(t, name)) {
			found++
			if fault := known[strings.Fields(line)[0]].fault(t, line); fault != "" {
				t.Errorf("%s: %q: %s", name, line, fault)
			}
		}
	}
	if found < 20 {
		t.Errorf("found only %d commands in all pages: the test does not see them", found)
	}
}

var inline = regexp.MustCompile("`[^`\n]+`")

// commandLines finds what a page shows of the two programs, in blocks and in text.
func commandLines(page string) (out []string) {
	code := inline.FindAllString(fence.ReplaceAllString(page, ""), -1)
	for _, b := range blocks(page) {
		if b.language == "sh" {
			code = append(code, strings.ReplaceAll(b.text, "$(", "("))
		}
	}
	for _, c := range code {
		for _, m := range shown.FindAllStringSubmatch(c, -1) {
			out = append(out, m[1]+m[2])
		}
	}
	return out
}

// manual is what a program says of itself.
type manual struct {
	program string
	leaves  []string
	help    map[string]string
}

// fault says what is wrong with a command line, "" if nothing is.
func (m *manual) fault(t *testing.T, line string) string {
	t.Helper()
	var words, options []string
	for _, w := range strings.Fields(line)[1:] {
		if option, _, _ := strings.Cut(w, "="); strings.HasPrefix(w, "-") {
			options = append(options, option)
		} else {
			words = append(words, w)
		}
	}
	var path []string
	for _, w := range words {
		next := strings.Join(append(slices.Clone(path), w), " ")
		if !slices.ContainsFunc(m.leaves, func(l string) bool { return l == next || strings.HasPrefix(l, next+" ") }) {
			break
		}
		path = append(path, w)
	}
	if len(path) == 0 && len(words) > 0 {
		return "no such command"
	}
	name := strings.Join(path, " ")
	if len(path) == 1 && len(words) > 1 && !slices.Contains(m.leaves, name) {
		return "no such command below " + name
	}
	if m.help[name] == "" {
		m.help[name] = help(t, m.program, path...)
	}
	for _, o := range options {
		if !regexp.MustCompile(`(?m)(^|[\s,])` + regexp.QuoteMeta(o) + `\b`).MatchString(m.help[name]) {
			return "no option " + o
		}
	}
	return ""
}

func TestEveryMakeTargetShownExists(t *testing.T) {
	makefile := readPage(t, "Makefile")
	for _, name := range pages() {
		if name == "docs/design.md" { // a plan
			continue
		}
		for _, m := range regexp.MustCompile("`(?:[A-Z]+=\\S+ )?make ([a-z]+)`").FindAllStringSubmatch(readPage(t, name), -1) {
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).MatchString(makefile) {
				t.Errorf("%s: there is no make %s", name, m[1])
			}
		}
	}
}

func TestChangesHaveAPlace(t *testing.T) {
	if !strings.Contains(readPage(t, "CHANGELOG.md"), "\n## [Unreleased]\n") {
		t.Error("CHANGELOG.md has no Unreleased part")
	}
}

// Every context under which something is signed is drawn in docs/papers.md, and
// nothing else is.
func TestEveryPaperIsDrawn(t *testing.T) {
	label := regexp.MustCompile(`"(warifu-[a-z-]+-v\d)"`)
	papers := readPage(t, "docs/papers.md")
	var inCode []string
	files, err := filepath.Glob("attest/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		for _, m := range label.FindAllStringSubmatch(readPage(t, f), -1) {
			inCode = append(inCode, m[1])
			named := strings.Contains(papers, "`"+m[1]+"`") || strings.Contains(papers, `"`+m[1]+`"`)
			if inCMS := slices.Contains([]string{"warifu-application-document-v1", "warifu-card-order-v1"}, m[1]); !named && !inCMS {
				t.Errorf("%s signs %s, which docs/papers.md does not draw", f, m[1])
			}
		}
	}
	for _, m := range regexp.MustCompile("`(warifu-[a-z-]+-v\\d)`").FindAllStringSubmatch(papers, -1) {
		if !slices.Contains(inCode, m[1]) {
			t.Errorf("docs/papers.md draws %s, which no code signs", m[1])
		}
	}
}
