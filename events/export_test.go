package events

// Marshal and Parse are the body inside the envelope.
func (e Event) Marshal() ([]byte, error) { return e.marshal() }

var Parse = parse
