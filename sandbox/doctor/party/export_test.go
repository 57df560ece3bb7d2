package party

import "encoding/json"

// Pointed is the value at a pointer of a JSON document.
func Pointed(document, pointer string) string {
	var doc any
	if json.Unmarshal([]byte(document), &doc) != nil {
		return ""
	}
	return pointed(doc, pointer)
}
