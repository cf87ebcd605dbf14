package profiles

import (
	"fmt"
	"io"
	"os"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// maxSize bounds a profile's JSON, in bytes.
const maxSize = 1 << 20

// Load reads a profile from a JSON file. See [Decode].
func Load(file string) (*Profile, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	defer f.Close()
	// What is no ordinary file may have no size and no end.
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	p, err := Decode(data)
	if err != nil {
		return nil, fmt.Errorf("profiles: %s: %w", file, err)
	}
	return p, nil
}

// Decode reads a profile from JSON and checks it with [Profile.Validate]. A field that no profile has is an error, because it would be
// a rule that nobody follows.
func Decode(data []byte) (*Profile, error) {
	if len(data) > maxSize {
		return nil, fmt.Errorf("profile larger than %d bytes", maxSize)
	}
	var p Profile
	if err := json.Unmarshal(data, &p, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("read profile: %w", err)
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	return &p, nil
}

// Encode returns the profile as JSON that [Decode] reads and that a person can edit.
func (p *Profile) Encode() ([]byte, error) {
	data, err := json.Marshal(p, json.Deterministic(true), jsontext.WithIndent("  "))
	if err != nil {
		return nil, fmt.Errorf("profiles: %w", err)
	}
	return append(data, '\n'), nil
}
