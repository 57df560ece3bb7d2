// Package handbook makes the pages of docs/ into what a reader sees at /docs: each
// page in the reader's language where it has two halves (life.md, life.ja.md), headings that
// can be linked to, links that lead to other pages of the site, a table of contents by
// audience, and a search over titles and headings that needs no script. It has no routes.
//
// A page is CommonMark with tables; HTML in it is not passed through. Addresses:
//
//	docs/life.md, docs/life.ja.md    /docs/life (by language)
//	docs/adr/0003-sql-by-hand.md     /docs/adr/0003-sql-by-hand
//	docs/examples/three-calls.sh     /docs/examples/three-calls.sh, as it is
//	scheme/files/jp-mobile.toml      no link: it stands in the source alone
package handbook
