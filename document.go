package scim

import (
	"fmt"
	"io"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Document is a resource as engines see it: one JSON object.
//
// Its values are string, bool, int64, float64, nil, []any and map[string]any only; complex attributes
// and elements of multi-valued ones are plain map[string]any. Attributes of an extension are in an
// object under the extension's schema URN. Names are as received until package schema has brought them
// to the schema's spelling.
//
// A Document is not safe for concurrent use while it is being changed.
type Document map[string]any

// MaxDepth is how deeply a document's objects and arrays may be nested. SCIM's own schemas need four
// levels; more than this is an attack or a mistake.
const MaxDepth = 32

// decodeOptions are how every JSON text is read into a struct: attribute names in any case, and what has no type of its
// own as in a document, so that large integers keep their digits.
var decodeOptions = json.JoinOptions(
	json.MatchCaseInsensitiveNames(true),
	json.WithUnmarshalers(decodeAny),
)

var decodeAny = json.UnmarshalFromFunc(func(d *jsontext.Decoder, into *any) (err error) {
	*into, err = decodeValue(d)
	return err
})

// encodeOptions are how every JSON text is written: equal documents give equal bytes.
var encodeOptions = json.JoinOptions(json.Deterministic(true))

// DecodeDocument reads one JSON object. Integers become int64, however they are written (182, 182.0 and 1.82e2), other numbers and
// integers too large for that float64.
//
// It returns an [*Error] with status 400 and type invalidSyntax, which names the byte offset, when data is
// not exactly one JSON object, holds a name twice in one object, is not UTF-8, or is nested deeper than
// [MaxDepth]. The caller bounds the size of data.
func DecodeDocument(data []byte) (Document, error) {
	d := newDecoder(data)
	defer d.release()
	if k := d.PeekKind(); k != jsontext.KindBeginObject && k != jsontext.KindInvalid {
		return nil, syntaxError(d.Decoder, fmt.Errorf("a JSON object is needed"))
	}
	v, err := d.value()
	if err != nil {
		return nil, syntaxError(d.Decoder, err)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, syntaxError(d.Decoder, fmt.Errorf("text after the JSON object"))
	}
	return Document(v.(map[string]any)), nil
}

func syntaxError(d *jsontext.Decoder, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	offset := d.InputOffset()
	if twice, ok := err.(*duplicateNameError); ok {
		offset = twice.offset
	}
	return &Error{
		Status: http.StatusBadRequest, Type: InvalidSyntax,
		Detail: fmt.Sprintf("invalid JSON at byte %d: %v", offset, plainCause(err)), Err: err,
	}
}

// plainCause takes off what would repeat the offset or quote the input.
func plainCause(err error) error {
	if s, ok := err.(*jsontext.SyntacticError); ok && s.Err != nil {
		return s.Err
	}
	return err
}

// MarshalJSON returns the document as JSON with the names of each object in order, so that equal documents
// have equal JSON.
func (d Document) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any(d), encodeOptions)
}

// UnmarshalJSON reads a document as [DecodeDocument] does.
func (d *Document) UnmarshalJSON(data []byte) error {
	v, err := DecodeDocument(data)
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// ID returns the resource's id, or "" when it has none.
func (d Document) ID() string {
	id, _ := d["id"].(string)
	return id
}

// Clone returns a deep copy.
func (d Document) Clone() Document {
	if d == nil {
		return nil
	}
	return Document(cloneValue(map[string]any(d)).(map[string]any))
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		c := make(map[string]any, len(v))
		for name, value := range v {
			c[name] = cloneValue(value)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, value := range v {
			c[i] = cloneValue(value)
		}
		return c
	}
	return v
}

// Decode stores the document in a struct such as [User] or [Group], or in any type that JSON can be read into.
func (d Document) Decode(into any) error {
	data, err := d.MarshalJSON()
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into, decodeOptions)
}

// ToDocument returns a [User], [Group] or any other value that marshals to a JSON object as a document.
func ToDocument(resource any) (Document, error) {
	if d, ok := resource.(Document); ok {
		return d.Clone(), nil
	}
	data, err := json.Marshal(resource)
	if err != nil {
		return nil, fmt.Errorf("scim: encode resource: %w", err)
	}
	return DecodeDocument(data)
}
