package document

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"slices"
)

// decode undoes the one filter that structure is written with, FlateDecode, and its
// predictors.
func (f *pdfFile) decode(stream pdfStream) ([]byte, error) {
	filter := stream.dict["Filter"]
	if list, ok := filter.(pdfArray); ok && len(list) == 1 {
		filter = list[0]
	}
	if filter == nil {
		return stream.raw, nil
	}
	if filter != pdfName("FlateDecode") {
		return nil, fmt.Errorf("its structure is encoded with %v", filter)
	}
	r, err := zlib.NewReader(bytes.NewReader(stream.raw))
	if err != nil {
		return nil, fmt.Errorf("a stream cannot be decoded: %w", err)
	}
	room := maxPDFDecoded - f.decoded
	octets, err := io.ReadAll(io.LimitReader(r, int64(room)+1))
	if err != nil {
		return nil, fmt.Errorf("a stream cannot be decoded: %w", err)
	}
	if len(octets) > room {
		return nil, errors.New("its streams are too large")
	}
	f.decoded += len(octets)
	parameters, _ := stream.dict["DecodeParms"].(pdfDict)
	return unpredict(octets, parameters)
}

// unpredict undoes the PNG predictors (RFC 2083 §6).
func unpredict(in []byte, parameters pdfDict) ([]byte, error) {
	predictor, _ := parameters["Predictor"].(int64)
	if predictor <= 1 {
		return in, nil
	}
	columns, ok := parameters["Columns"].(int64)
	if !ok {
		columns = 1
	}
	row := int(columns) + 1
	if predictor < 10 || columns < 1 || columns > 1<<16 || len(in)%row != 0 {
		return nil, errors.New("a stream's predictor is unknown")
	}
	var out []byte
	above := make([]byte, columns)
	for line := range slices.Chunk(in, row) {
		current := bytes.Clone(line[1:])
		for i := range current {
			var left, corner byte
			if i > 0 {
				left, corner = current[i-1], above[i-1]
			}
			switch line[0] {
			case 0:
			case 1:
				current[i] += left
			case 2:
				current[i] += above[i]
			case 3:
				current[i] += byte((int(left) + int(above[i])) / 2)
			case 4:
				current[i] += paeth(left, above[i], corner)
			default:
				return nil, errors.New("a stream's predictor is unknown")
			}
		}
		out = append(out, current...)
		above = current
	}
	return out, nil
}

func paeth(left, above, corner byte) byte {
	p := int(left) + int(above) - int(corner)
	distance := func(b byte) int { return max(p-int(b), int(b)-p) }
	switch {
	case distance(left) <= distance(above) && distance(left) <= distance(corner):
		return left
	case distance(above) <= distance(corner):
		return above
	}
	return corner
}
