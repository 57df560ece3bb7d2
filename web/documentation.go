package web

import (
	"net/http"
	"sort"

	"github.com/danielgtaylor/huma/v2"
)

type operation struct {
	Method, Path, Summary string
	Fields                []field
}

type field struct{ Name, Doc string }

// documentation serves the interface's description to machines and to people. The
// page for people is made from the same document, and loads nothing from elsewhere.
func (s *site) documentation(api huma.API, mux *http.ServeMux) {
	mux.HandleFunc("GET /api/docs", func(w http.ResponseWriter, r *http.Request) {
		s.page(w, r, http.StatusOK, "api", "face.api.title", operations(api.OpenAPI()))
	})
}

func operations(o *huma.OpenAPI) []operation {
	var out []operation
	for path, item := range o.Paths {
		for method, op := range map[string]*huma.Operation{http.MethodGet: item.Get, http.MethodPost: item.Post, http.MethodPut: item.Put, http.MethodDelete: item.Delete} {
			if op != nil {
				out = append(out, operation{method, path, op.Summary, fieldsOf(o, op)})
			}
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Path != out[j].Path {
			return out[i].Path < out[j].Path
		}
		return out[i].Method < out[j].Method
	})
	return out
}

// fieldsOf lists an operation's parameters and the fields of its request's body.
func fieldsOf(o *huma.OpenAPI, op *huma.Operation) []field {
	var out []field
	for _, p := range op.Parameters {
		doc := p.Description
		if doc == "" && p.Schema != nil {
			doc = p.Schema.Description
		}
		out = append(out, field{p.Name, doc})
	}
	if op.RequestBody == nil {
		return out
	}
	media := op.RequestBody.Content["application/json"]
	if media == nil || media.Schema == nil {
		return out
	}
	schema := media.Schema
	if schema.Ref != "" {
		schema = o.Components.Schemas.SchemaFromRef(schema.Ref)
	}
	names := make([]string, 0, len(schema.Properties))
	for n := range schema.Properties {
		names = append(names, n)
	}
	sort.Strings(names)
	for _, n := range names {
		out = append(out, field{n, schema.Properties[n].Description})
	}
	return out
}
