package web

import (
	"cmp"
	"encoding/json"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"warifu"
	"warifu/face"
	"warifu/handbook"
	"warifu/text"
)

// reference is the description of the interface as people read it.
type reference struct {
	Groups   []apiGroup
	Problems []apiProblem // what a status means
	Problem  string       // one, as it is sent
}

// apiGroup are operations that serve one end. Name is its anchor and the key of its title.
type apiGroup struct {
	Name, Title string
	Operations  []operation
}

type operation struct {
	ID, Method, Path, Summary string
	Group                     string // the name of the one that it stands in
	Parameters, Body, Answer  []field
	Status                    int   // of the answer
	Problems                  []int // statuses of its refusals
	Example, Returned         string
}

// field is a parameter or a field of a body; In says where a parameter stands, Bounds what a
// value may be.
type field struct {
	Name, In, Type, Doc, Bounds string
	Required                    bool
}

// fieldTable is a table of them in the reader's language.
type fieldTable struct {
	Lang   text.Lang
	Fields []field
}

// Table is what the template draws of fields.
func (operation) Table(lang text.Lang, fields []field) fieldTable { return fieldTable{lang, fields} }

// apiProblem is a status of a refusal; Name is the key of what it means.
type apiProblem struct {
	Status int
	Name   string
}

// groups say which operations stand together, by what their paths begin with, in the order of
// a certificate's life.
var groups = []struct {
	name  string
	paths []string
}{
	{"apply", []string{"/api/v1/challenges", "/api/v1/applications", "/api/v1/sessions"}},
	{"life", []string{"/api/v1/elements", "/api/v1/orders", "/api/v1/suspensions"}},
	{"sale", []string{"/api/v1/clean-proofs", "/api/v1/listings"}},
	{"check", []string{"/api/v1/verifications", "/api/v1/attribute-requests", "/api/v1/webhooks"}},
	{"login", []string{"/api/v1/clients", "/api/v1/logins", "/api/sign-transactions"}},
	{"devices", []string{"/api/v1/devices"}},
	{"hotline", []string{"/api/v1/hotline", "/api/v1/card-events"}},
}

var docsReference, docsOperations, docsProblems = face.Place("docs/reference"), face.Place("docs/operations"), face.Place("docs/problems")

// referencePath is where the reference stands in the documentation.
const referencePath = handbook.Prefix + "/reference"

// documentation serves the interface's description to people, made from the same document that
// machines read, and every problem by its slug. It loads nothing from elsewhere.
func (s *site) documentation(api huma.API, mux *http.ServeMux) {
	show := func(w http.ResponseWriter, r *http.Request) {
		s.draw(w, r, docsReference, "documentation.api-reference", s.reference(readersLanguage(r)), nil)
	}
	s.operations = func() []operation { return operations(api.OpenAPI(), s.Origin) }
	mux.HandleFunc("GET /api/docs", show)
	mux.HandleFunc("GET "+referencePath, show)
	mux.HandleFunc("GET "+referencePath+"/{group}", func(w http.ResponseWriter, r *http.Request) {
		for _, g := range s.reference(readersLanguage(r)).Groups {
			if g.Name == r.PathValue("group") {
				s.draw(w, r, docsOperations, g.Title, g, nil)
				return
			}
		}
		s.problemPage(w, r, warifu.NotFound("page-unknown"))
	})
	mux.HandleFunc("GET "+handbook.Prefix+"/problems", func(w http.ResponseWriter, r *http.Request) {
		s.draw(w, r, docsProblems, "documentation.problems", slugs(readersLanguage(r)), nil)
	})
}

func (s *site) reference(lang text.Lang) reference {
	var out reference
	all := s.operations()
	for _, g := range groups {
		group := apiGroup{Name: g.name, Title: text.Sentence("documentation.api."+g.name, lang, nil)}
		for _, o := range all {
			if o.Group == g.name {
				group.Operations = append(group.Operations, o)
			}
		}
		out.Groups = append(out.Groups, group)
	}
	for _, status := range statusOf {
		out.Problems = append(out.Problems, apiProblem{status, "documentation.status." + strconv.Itoa(status)})
	}
	slices.SortFunc(out.Problems, func(a, b apiProblem) int { return a.Status - b.Status })
	if b, err := json.MarshalIndent(problemOf(warifu.NotFound("application-unknown"), lang), "", "  "); err == nil {
		out.Problem = string(b)
	}
	return out
}

// operations are all that the interface does, by path and method.
func operations(o *huma.OpenAPI, origin string) []operation {
	var out []operation
	for path, item := range o.Paths {
		for method, op := range map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete} {
			if op != nil {
				out = append(out, described(o, origin, method, path, op))
			}
		}
	}
	slices.SortFunc(out, func(a, b operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Method, b.Method))
	})
	return out
}

func described(o *huma.OpenAPI, origin, method, path string, op *huma.Operation) operation {
	d := operation{ID: op.OperationID, Method: method, Path: path, Summary: op.Summary}
	for _, g := range groups {
		if slices.ContainsFunc(g.paths, func(p string) bool { return path == p || strings.HasPrefix(path, p+"/") }) {
			d.Group = g.name
		}
	}
	shape := shapes{o}
	for _, p := range op.Parameters {
		f := shape.field(p.Name, p.Schema, p.Required || p.In == "path")
		f.In, f.Doc = p.In, cmp.Or(p.Description, f.Doc)
		d.Parameters = append(d.Parameters, f)
	}
	var body *huma.Schema
	if op.RequestBody != nil {
		body = jsonOf(op.RequestBody.Content)
		d.Body = shape.fields(body)
	}
	for code, r := range op.Responses {
		status, err := strconv.Atoi(code)
		switch {
		case err != nil:
		case status < http.StatusBadRequest:
			d.Status = status
			answer := jsonOf(r.Content)
			d.Answer, d.Returned = shape.fields(answer), shape.example(answer, false)
		default:
			d.Problems = append(d.Problems, status)
		}
	}
	slices.Sort(d.Problems)
	d.Example = shape.request(origin, d, body)
	return d
}

func jsonOf(content map[string]*huma.MediaType) *huma.Schema {
	if media := content["application/json"]; media != nil {
		return media.Schema
	}
	return nil
}

// slug is a problem by name, with what people are told; its values are left open.
type slug struct {
	Name        string
	Title, Next template.HTML
}

// slugs are all problems there are, by name.
func slugs(lang text.Lang) (out []slug) {
	for _, key := range text.Keys() {
		name, ok := strings.CutPrefix(key, "problem.")
		if !ok {
			continue
		}
		open := map[string]string{}
		for _, p := range text.ParamsOf(key, "title", "detail", "next") {
			open[p] = "…"
		}
		title, _, next := text.Problem(&warifu.Error{Problem: name, Params: open}, lang)
		out = append(out, slug{name, handbook.Said(lang, title), handbook.Said(lang, next)})
	}
	slices.SortFunc(out, func(a, b slug) int { return cmp.Compare(a.Name, b.Name) })
	return out
}
