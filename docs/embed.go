// Package docs holds the pages of the documentation as they stand in this folder, in the
// binary: what a server shows at /docs is of the same version as the server. Package
// handbook reads them.
package docs

import "embed"

// Files are the pages, the decisions (adr) and the examples that pages lead to.
//
//go:embed *.md adr/*.md examples/*.sh examples/relying-party/*.md
//go:embed examples/relying-party/curl/*.sh examples/relying-party/java/*.java examples/relying-party/python/*.py
//go:embed examples/relying-party/node/*.mjs examples/relying-party/passport/*.mjs
var Files embed.FS
