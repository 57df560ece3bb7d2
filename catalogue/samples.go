package catalogue

import (
	"bytes"
	_ "embed" // samples.csv
	"fmt"
	"slices"
	"sync"
)

//go:embed samples.csv
var samplesCSV []byte

var samples = sync.OnceValues(func() ([]Model, error) {
	models, problems, err := ParseCSV(bytes.NewReader(samplesCSV))
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("samples.csv: %w", problems[0].Err)
	}
	return models, err
})

// Samples returns the models that ship: well-known phones sold in Japan, and a few that
// are refused, one for each reason. Every one is marked Sample: what stands there was
// written for trying things out and is no official record of any model.
func Samples() ([]Model, error) {
	models, err := samples()
	return slices.Clone(models), err
}
