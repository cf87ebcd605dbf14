package scim

// ServiceProviderConfig says what a service supports (RFC 7643 section 5, pagination: RFC 9865 section 2.2).
type ServiceProviderConfig struct {
	Schemas               []string               `json:"schemas"`
	DocumentationURI      string                 `json:"documentationUri,omitzero"`
	Patch                 Supported              `json:"patch"`
	Bulk                  BulkSupported          `json:"bulk"`
	Filter                FilterSupported        `json:"filter"`
	ChangePassword        Supported              `json:"changePassword"`
	Sort                  Supported              `json:"sort"`
	ETag                  Supported              `json:"etag"`
	Pagination            *PaginationSupported   `json:"pagination,omitzero"`
	AuthenticationSchemes []AuthenticationScheme `json:"authenticationSchemes"`
	Meta                  *Meta                  `json:"meta,omitzero"`

	Extra map[string]any `json:",embed"`
}

// Supported says whether a feature is on.
type Supported struct {
	Supported bool `json:"supported"`
}

// BulkSupported says whether bulk requests are accepted, and how large.
type BulkSupported struct {
	Supported     bool `json:"supported"`
	MaxOperations int  `json:"maxOperations"`
	// MaxPayloadSize is in bytes.
	MaxPayloadSize int `json:"maxPayloadSize"`
}

// FilterSupported says whether queries can be filtered, and how many resources a page holds at most.
type FilterSupported struct {
	Supported  bool `json:"supported"`
	MaxResults int  `json:"maxResults"`
}

// PaginationSupported says which kinds of pages a service gives (RFC 9865 section 2.2).
type PaginationSupported struct {
	Cursor                  bool   `json:"cursor"`
	Index                   bool   `json:"index"`
	DefaultPaginationMethod string `json:"defaultPaginationMethod,omitzero"`
	DefaultPageSize         int    `json:"defaultPageSize,omitzero"`
	MaxPageSize             int    `json:"maxPageSize,omitzero"`
	// CursorTimeout is in seconds.
	CursorTimeout int `json:"cursorTimeout,omitzero"`
}

// AuthenticationScheme is one way to authenticate.
type AuthenticationScheme struct {
	Type             string `json:"type"`
	Name             string `json:"name"`
	Description      string `json:"description"`
	SpecURI          string `json:"specUri,omitzero"`
	DocumentationURI string `json:"documentationUri,omitzero"`
	Primary          bool   `json:"primary,omitzero"`
}

// ResourceType describes a kind of resource that a service holds (RFC 7643 section 6).
type ResourceType struct {
	Schemas     []string `json:"schemas,omitempty"`
	ID          string   `json:"id,omitzero"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitzero"`
	// Endpoint is relative to the base URL: /Users.
	Endpoint         string            `json:"endpoint"`
	Schema           string            `json:"schema"`
	SchemaExtensions []SchemaExtension `json:"schemaExtensions,omitempty"`
	Meta             *Meta             `json:"meta,omitzero"`
}

// SchemaExtension is an extension of a [ResourceType].
type SchemaExtension struct {
	Schema   string `json:"schema"`
	Required bool   `json:"required"`
}
