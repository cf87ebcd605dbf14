package mapping

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// File is the JSON form of mappings, as docs/mapping.schema.json describes it.
type File struct {
	// Schema is the address of the JSON Schema, for editors.
	Schema   string          `json:"$schema,omitzero"`
	Mappings []ObjectMapping `json:"mappings"`
}

// Bounds of a file.
const (
	maxFile  = 8 << 20 // bytes
	maxDepth = 16      // levels of nesting; a file has eight
)

// Decode reads mappings from JSON. Names that are not known, or given twice, are errors, so that a misspelt setting is not a
// setting ignored. The text may be 8 MiB long. Decode does not compile the mappings.
func Decode(data []byte) (File, error) {
	if len(data) > maxFile {
		return File{}, fmt.Errorf("mapping: the file is longer than %d bytes", maxFile)
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows put it there
	if err := checkDepth(data); err != nil {
		return File{}, fmt.Errorf("mapping: %w", err)
	}
	var f File
	if err := json.Unmarshal(data, &f, json.RejectUnknownMembers(true)); err != nil {
		return File{}, fmt.Errorf("mapping: read JSON: %w", err)
	}
	return f, nil
}

// checkDepth refuses text that is nested deeper than any file.
func checkDepth(data []byte) error {
	d := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.ReadToken(); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("read JSON: %w", err)
		}
		if d.StackDepth() > maxDepth {
			return fmt.Errorf("read JSON at byte %d: nested deeper than %d levels", d.InputOffset(), maxDepth)
		}
	}
}

// Load reads mappings from a JSON file as [Decode] does.
func Load(name string) (File, error) {
	f, err := os.Open(name)
	if err != nil {
		return File{}, fmt.Errorf("mapping: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return File{}, fmt.Errorf("mapping: %w", err)
	}
	return Decode(data)
}

// Mapping returns the mapping for a type of source object, in any case.
func (f File) Mapping(source string) (ObjectMapping, bool) {
	for _, m := range f.Mappings {
		if strings.EqualFold(m.Source, source) {
			return m, true
		}
	}
	return ObjectMapping{}, false
}

// Format writes the file as indented JSON that [Decode] reads.
func (f File) Format() ([]byte, error) {
	data, err := json.Marshal(f, jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("mapping: write JSON: %w", err)
	}
	return append(data, '\n'), nil
}
