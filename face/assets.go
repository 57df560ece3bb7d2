package face

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed assets
var assets embed.FS

// asset is an embedded file as it goes over the wire.
type asset struct {
	octets []byte
	packed func() []byte // gzip, made at the first wish for it; empty where it saves nothing
	kind   string        // Content-Type
	hash   string        // of the content, 16 hexadecimal digits
}

// files are the embedded files by name, read once, at the first wish for one.
var files = sync.OnceValue(func() map[string]asset {
	out := map[string]asset{}
	_ = fs.WalkDir(assets, "assets", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := assets.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		packed := sync.OnceValue(func() []byte {
			if packed := pack(b, gzip.BestCompression); len(packed) < len(b)*9/10 {
				return packed
			}
			return nil
		})
		out[strings.TrimPrefix(name, "assets/")] = asset{b, packed, kindOf(name), hex.EncodeToString(sum[:8])}
		return nil
	})
	return out
})

// kindOf is a file's media type, said here for what the machine's own table may not know.
func kindOf(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".md":
		return "text/plain; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	if kind := mime.TypeByExtension(path.Ext(name)); kind != "" {
		return kind
	}
	return "application/octet-stream"
}

// address is where a page finds an embedded file: with the hash of its content, so that a
// browser keeps it for good and asks anew when it has changed.
func address(name string) string {
	if a, ok := files()[name]; ok {
		return "/assets/" + name + "?v=" + a.hash
	}
	return "/assets/" + name
}

// Assets serves the embedded files under /assets/: packed where the browser takes it, for
// good where the address carries the hash of the content, otherwise to be asked about again
// by ETag (RFC 9110 §8.8.3).
func Assets() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := files()[strings.TrimPrefix(r.URL.Path, "/assets/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		h, octets := w.Header(), a.octets
		h.Set("Cache-Control", "public, no-cache")
		if r.URL.Query().Get("v") == a.hash {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		h.Set("Content-Type", a.kind)
		h.Set("Vary", "Accept-Encoding")
		tag := a.hash
		if takesGzip(r) && a.packed() != nil {
			h.Set("Content-Encoding", "gzip")
			octets, tag = a.packed(), tag+"-gzip"
		}
		h.Set("ETag", `"`+tag+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(octets))
	})
}

// takesGzip reports whether who asks takes gzip (RFC 9110 §12.5.3); one who rules it out by
// a quality of nought does not.
func takesGzip(r *http.Request) bool {
	for one := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, quality, _ := strings.Cut(strings.ReplaceAll(one, " ", ""), ";q=")
		if strings.EqualFold(name, "gzip") {
			return strings.Trim(quality, "0.") != "" || quality == ""
		}
	}
	return false
}

func pack(b []byte, level int) []byte {
	var out bytes.Buffer
	z, err := gzip.NewWriterLevel(&out, level)
	if err != nil {
		return b
	}
	_, _ = z.Write(b) // into memory
	_ = z.Close()
	return out.Bytes()
}

// least is from how many octets on a page is packed: below, it fits one packet anyway.
const least = 1400

// Write writes a made page: packed where the browser takes it. What another site made the
// browser ask for is not, since the length of a packed page tells of what is in it (BREACH).
func Write(w http.ResponseWriter, r *http.Request, status int, page []byte) error {
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Add("Vary", "Accept-Encoding, Cookie")
	site := r.Header.Get("Sec-Fetch-Site")
	if len(page) >= least && takesGzip(r) && site != "cross-site" && site != "same-site" {
		h.Set("Content-Encoding", "gzip")
		page = pack(page, gzip.BestSpeed)
	}
	w.WriteHeader(status)
	_, err := w.Write(page)
	return err
}

// style and script link an embedded file from a page's own "styles" or "scripts".
func style(name string) template.HTML {
	return template.HTML(`<link rel="stylesheet" href="` + template.HTMLEscapeString(address(name)) + `">`)
}

// script is deferred. htmx is told to leave out the styles that it would bring along.
func script(name string) template.HTML {
	tag := `<script src="` + template.HTMLEscapeString(address(name)) + `" defer></script>`
	if name == "htmx.min.js" {
		tag = `<meta name="htmx-config" content='{"includeIndicatorCSS":false,"morphIgnore":["data-htmx-powered","open"]}'>` + tag
	}
	return template.HTML(tag)
}
