package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// deepest is how far down the fields of a body are told.
const deepest = 5

// shapes reads the schemas of the interface's description for people.
type shapes struct{ *huma.OpenAPI }

func (s shapes) resolved(of *huma.Schema) *huma.Schema {
	if of != nil && of.Ref != "" {
		return s.Components.Schemas.SchemaFromRef(of.Ref)
	}
	return of
}

// field tells one value.
func (s shapes) field(name string, of *huma.Schema, required bool) field {
	f := field{Name: name, Required: required}
	if of == nil {
		return f
	}
	f.Doc = of.Description
	of = s.resolved(of)
	if f.Doc == "" {
		f.Doc = of.Description
	}
	f.Type, f.Bounds = kindOf(s, of), bounds(of)
	return f
}

func kindOf(s shapes, of *huma.Schema) string {
	switch {
	case of.Type == "array":
		return kindOf(s, s.resolved(of.Items)) + "[]"
	case of.ContentEncoding != "":
		return of.ContentEncoding
	case of.Format != "" && of.Type == "string":
		return of.Format
	}
	return of.Type
}

// bounds are what a value may be, as it would be written in a formula.
func bounds(of *huma.Schema) string {
	var out []string
	if len(of.Enum) > 0 {
		values := make([]string, len(of.Enum))
		for i, v := range of.Enum {
			values[i] = fmt.Sprint(v)
		}
		out = append(out, strings.Join(values, " | "))
	}
	span := func(least, most *int, of string) {
		switch {
		case least != nil && most != nil && *least > 0:
			out = append(out, fmt.Sprintf("%d–%d%s", *least, *most, of))
		case most != nil:
			out = append(out, fmt.Sprintf("≤ %d%s", *most, of))
		case least != nil && *least > 0:
			out = append(out, fmt.Sprintf("≥ %d%s", *least, of))
		}
	}
	span(of.MinLength, of.MaxLength, "")
	span(of.MinItems, of.MaxItems, " ×")
	if of.Minimum != nil && of.Maximum != nil {
		out = append(out, fmt.Sprintf("%v–%v", *of.Minimum, *of.Maximum))
	}
	if of.Pattern != "" {
		out = append(out, of.Pattern)
	}
	return strings.Join(out, ", ")
}

// fields are a body's, with those of what stands in it as "policy.anchor" and "items[].id".
func (s shapes) fields(of *huma.Schema) []field {
	var out []field
	s.walk("", of, 0, &out)
	return out
}

func (s shapes) walk(prefix string, of *huma.Schema, depth int, out *[]field) {
	of = s.resolved(of)
	if of == nil || depth == deepest {
		return
	}
	if of.Type == "array" {
		s.walk(prefix+"[]", of.Items, depth+1, out)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(of.Properties)) {
		whole := strings.TrimPrefix(prefix+"."+name, ".")
		*out = append(*out, s.field(whole, of.Properties[name], slices.Contains(of.Required, name)))
		s.walk(whole, of.Properties[name], depth+1, out)
	}
}

// example is a value of a schema as JSON: of what must be there alone, or of everything.
func (s shapes) example(of *huma.Schema, required bool) string {
	if of == nil {
		return ""
	}
	b, err := json.MarshalIndent(s.value("", of, required, 0), "", "  ")
	if err != nil {
		return ""
	}
	return string(b)
}

func (s shapes) value(name string, of *huma.Schema, required bool, depth int) any {
	of = s.resolved(of)
	switch {
	case of == nil || depth == deepest:
		return nil
	case len(of.Examples) > 0:
		return of.Examples[0]
	case len(of.Enum) > 0:
		return of.Enum[0]
	}
	switch of.Type {
	case "object":
		out := map[string]any{}
		for n, p := range of.Properties {
			if !required || slices.Contains(of.Required, n) {
				out[n] = s.value(n, p, required, depth+1)
			}
		}
		return out
	case "array":
		return []any{s.value(name, of.Items, required, depth+1)}
	case "integer", "number":
		if of.Minimum != nil {
			return *of.Minimum
		}
		return 1
	case "boolean":
		return true
	case "string":
		return stringLike(name, of)
	}
	return nil
}

// stringLike is what a string of that kind looks like.
func stringLike(name string, of *huma.Schema) string {
	switch {
	case of.ContentEncoding == "base64", of.Format == "byte":
		return "MIIB…"
	case of.Format == "date-time":
		return "2026-04-01T10:00:00+09:00"
	case of.Format == "uri":
		return "https://service.example/"
	}
	return name + "…"
}

// request is a call as it is typed at a terminal.
func (s shapes) request(origin string, d operation, body *huma.Schema) string {
	var b strings.Builder
	b.WriteString("curl")
	if d.Method != "GET" && (d.Method != "POST" || body == nil) {
		b.WriteString(" -X " + d.Method)
	}
	path, query := d.Path, []string{}
	for _, p := range d.Parameters {
		switch {
		case p.In == "header":
			b.WriteString(" -H '" + p.Name + ": …' \\\n ")
		case p.In == "query" && p.Required:
			query = append(query, p.Name+"=…")
		}
	}
	if body != nil {
		b.WriteString(" -H 'Content-Type: application/json' \\\n  -d '" + strings.ReplaceAll(s.example(body, true), "'", `'\''`) + "' \\\n ")
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	b.WriteString(" '" + origin + path + "'")
	return b.String()
}
