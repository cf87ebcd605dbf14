package scim

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ListResponse is the answer to a query (RFC 7644 section 3.4.2, cursors: RFC 9865).
type ListResponse[T any] struct {
	Schemas []string `json:"schemas"`
	// TotalResults is how many resources match in all. Services are known to get it wrong: page by len(Resources).
	TotalResults int `json:"totalResults"`
	// StartIndex is the 1-based index of the first resource in this page.
	StartIndex int `json:"startIndex,omitzero"`
	// ItemsPerPage is how many resources this page holds.
	ItemsPerPage   int    `json:"itemsPerPage"`
	NextCursor     string `json:"nextCursor,omitzero"`
	PreviousCursor string `json:"previousCursor,omitzero"`
	Resources      []T    `json:"Resources"`
}

// SearchRequest is the body of a POST to .search (RFC 7644 section 3.4.3).
type SearchRequest struct {
	Schemas            []string `json:"schemas"`
	Attributes         []string `json:"attributes,omitempty"`
	ExcludedAttributes []string `json:"excludedAttributes,omitempty"`
	Filter             string   `json:"filter,omitzero"`
	SortBy             string   `json:"sortBy,omitzero"`
	SortOrder          string   `json:"sortOrder,omitzero"`
	StartIndex         *int     `json:"startIndex,omitzero"`
	Count              *int     `json:"count,omitzero"`
	Cursor             *string  `json:"cursor,omitzero"`
}

// PatchOp is the kind of a PATCH operation. Services compare it in any case.
type PatchOp string

// The operations of RFC 7644 section 3.5.2.
const (
	OpAdd     PatchOp = "add"
	OpReplace PatchOp = "replace"
	OpRemove  PatchOp = "remove"
)

// PatchOperation is one operation of a [PatchRequest].
type PatchOperation struct {
	Op PatchOp `json:"op"`
	// Path names the attribute, such as emails[type eq "work"].value. It may be empty for add and replace; then Value is an
	// object of attributes.
	Path string `json:"path,omitzero"`
	// Value is a document value: see [Document] for its types. nil is null, which add and replace take for no value; a remove
	// has none.
	Value any `json:"value,omitzero"`
}

// MarshalJSON writes an operation. The value of add and replace is there even when it is null: RFC 7644 section 3.5.2.1 asks for one.
func (o PatchOperation) MarshalJSON() ([]byte, error) {
	type plain PatchOperation
	if o.Value != nil || !o.Op.takesValue() {
		return json.Marshal(plain(o), encodeOptions)
	}
	return json.Marshal(struct {
		plain
		Value any `json:"value"`
	}{plain: plain(o)}, encodeOptions)
}

// takesValue reports whether an operation of the kind must have a value.
func (op PatchOp) takesValue() bool {
	kind := strings.TrimSpace(string(op))
	return strings.EqualFold(kind, string(OpAdd)) || strings.EqualFold(kind, string(OpReplace))
}

// UnmarshalJSON reads an operation, names in any case and the value as [DecodeDocument] reads one. An add or replace without the
// member value is an [*Error] with type invalidValue; null is a value.
func (o *PatchOperation) UnmarshalJSON(data []byte) error {
	var raw struct {
		Op    PatchOp        `json:"op"`
		Path  string         `json:"path"`
		Value jsontext.Value `json:"value"`
	}
	if err := json.Unmarshal(data, &raw, decodeOptions); err != nil {
		return err
	}
	*o = PatchOperation{Op: raw.Op, Path: raw.Path}
	switch {
	case len(raw.Value) == 0 && raw.Op.takesValue():
		return NewError(http.StatusBadRequest, InvalidValue, "add and replace need a value")
	case len(raw.Value) == 0:
		return nil
	}
	value, err := decodeValue(jsontext.NewDecoder(bytes.NewBuffer(raw.Value)))
	o.Value = value
	return err
}

// PatchRequest is the body of a PATCH (RFC 7644 section 3.5.2).
type PatchRequest struct {
	Schemas    []string         `json:"schemas"`
	Operations []PatchOperation `json:"Operations"`
}

// UnmarshalJSON reads a request, names in any case.
func (r *PatchRequest) UnmarshalJSON(data []byte) error {
	type plain PatchRequest
	var p plain
	if err := json.Unmarshal(data, &p, decodeOptions); err != nil {
		return err
	}
	*r = PatchRequest(p)
	return nil
}

// NewPatchRequest returns a request with the operations given.
func NewPatchRequest(operations ...PatchOperation) PatchRequest {
	return PatchRequest{Schemas: []string{PatchOpSchema}, Operations: operations}
}

// BulkRequest is the body of a POST to /Bulk (RFC 7644 section 3.7).
type BulkRequest struct {
	Schemas []string `json:"schemas"`
	// FailOnErrors is how many errors end the processing; 0 means that it goes on to the end.
	FailOnErrors int             `json:"failOnErrors,omitzero"`
	Operations   []BulkOperation `json:"Operations"`
}

// BulkResponse is the answer to a [BulkRequest].
type BulkResponse struct {
	Schemas    []string        `json:"schemas"`
	Operations []BulkOperation `json:"Operations"`
}

// BulkOperation is one operation of a bulk request, or its outcome in a bulk response.
type BulkOperation struct {
	Method string `json:"method"`
	// BulkID lets other operations of the request refer to a resource that this one creates, as bulkId:<id>.
	BulkID  string `json:"bulkId,omitzero"`
	Version string `json:"version,omitzero"`
	// Path is relative to the base URL: /Users, or /Users/<id>.
	Path string   `json:"path,omitzero"`
	Data Document `json:"data,omitzero"`

	// Location, Status and Response are the outcome.
	Location string   `json:"location,omitzero"`
	Status   string   `json:"status,omitzero"`
	Response Document `json:"response,omitzero"`
}
