package scim

import (
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Meta is what a service says about a resource (RFC 7643 section 3.1). Services fill it in; what a client sends is ignored.
type Meta struct {
	ResourceType string    `json:"resourceType,omitzero"`
	Created      time.Time `json:"created,omitzero"`
	LastModified time.Time `json:"lastModified,omitzero"`
	// Location is the URI of the resource.
	Location string `json:"location,omitzero"`
	// Version is the entity-tag of the resource, as in an ETag header.
	Version string `json:"version,omitzero"`

	Extra map[string]any `json:",embed"`
}

type plainMeta Meta

// metaOptions are how meta is read: its times may be without an offset, which the dateTime of RFC 7643 section 2.3.5 may be, and empty.
var metaOptions = json.JoinOptions(decodeOptions, json.WithUnmarshalers(json.JoinUnmarshalers(
	json.UnmarshalFunc(readTime), decodeAny,
)))

// UnmarshalJSONFrom reads a meta, attribute names in any case. A time without an offset is taken to be in UTC.
func (m *Meta) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*m = Meta{}
	return json.UnmarshalDecode(d, (*plainMeta)(m), metaOptions)
}

func readTime(text []byte, into *time.Time) error {
	switch string(text) {
	case "null", `""`:
		*into = time.Time{}
		return nil
	}
	if local, err := time.ParseInLocation(`"2006-01-02T15:04:05"`, string(text), time.UTC); err == nil {
		*into = local
		return nil
	}
	return into.UnmarshalJSON(text)
}

// Bool returns a pointer to v, for fields such as [User.Active] in which absent and false differ.
func Bool(v bool) *bool { return &v }
