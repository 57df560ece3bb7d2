package events

// Marshal and Parse are the body inside the envelope.
func (e Event) Marshal() ([]byte, error) { return e.marshal() }

var Parse = parse

// Marshal and ParseReport are the body inside the envelope of a report.
func (r CardReport) Marshal() ([]byte, error) { return r.marshal() }

// ParseReport is the parser of that body.
var ParseReport = parseReport
