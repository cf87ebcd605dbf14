package scim

import "time"

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

// Bool returns a pointer to v, for fields such as [User.Active] in which absent and false differ.
func Bool(v bool) *bool { return &v }
