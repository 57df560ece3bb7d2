package notify

import (
	"regexp"

	"warifu"
)

// Notice is everything that is ever told: the identifier of an application. The field
// is unexported and Of refuses whatever is no identifier, so that no personal attribute
// can ride along.
type Notice struct{ application string }

// applicationForm is wide enough for every identifier the house makes and too narrow
// for a name, an address, a sentence or JSON.
var applicationForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// Of makes the notice about an application; Invalid "notice-malformed" for what is no
// identifier.
func Of(application string) (Notice, error) {
	if !applicationForm.MatchString(application) {
		return Notice{}, warifu.Invalid("notice-malformed")
	}
	return Notice{application}, nil
}

// payload is what goes over either way, whole.
func (n Notice) payload() []byte { return []byte(n.application) }
