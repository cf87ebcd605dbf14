package scim

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Group is the group of RFC 7643 section 4.2. Extra holds attributes that have no field.
type Group struct {
	Schemas     []string    `json:"schemas,omitempty"`
	ID          string      `json:"id,omitzero"`
	ExternalID  string      `json:"externalId,omitzero"`
	DisplayName string      `json:"displayName,omitzero"`
	Members     []Reference `json:"members,omitempty"`
	Meta        *Meta       `json:"meta,omitzero"`

	Extra map[string]any `json:",embed"`
}

type plainGroup Group

// MarshalJSON writes the group. When Schemas is empty, the core schema is filled in.
func (g Group) MarshalJSON() ([]byte, error) {
	if len(g.Schemas) == 0 {
		g.Schemas = []string{GroupSchema}
	}
	return json.Marshal(plainGroup(g), encodeOptions)
}

// UnmarshalJSON reads a group, attribute names in any case.
func (g *Group) UnmarshalJSON(data []byte) error {
	var p plainGroup
	if err := json.Unmarshal(data, &p, decodeOptions); err != nil {
		return err
	}
	*g = Group(p)
	return nil
}

// UnmarshalJSONFrom reads a group as [Group.UnmarshalJSON] does, from a decoder, so that a list of groups is read in one pass.
func (g *Group) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*g = Group{}
	return json.UnmarshalDecode(d, (*plainGroup)(g), decodeOptions)
}

// String names the group, for logs.
func (g Group) String() string { return "Group " + g.ID + " (" + g.DisplayName + ")" }
