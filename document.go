package scim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net/http"
	"strconv"

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
	json.WithUnmarshalers(json.UnmarshalFromFunc(func(d *jsontext.Decoder, into *any) (err error) {
		*into, err = decodeValue(d)
		return err
	})),
)

// encodeOptions are how every JSON text is written: equal documents give equal bytes.
var encodeOptions = json.JoinOptions(json.Deterministic(true))

// DecodeDocument reads one JSON object. Integers become int64, however they are written (182, 182.0 and 1.82e2), other numbers and
// integers too large for that float64.
//
// It returns an [*Error] with status 400 and type invalidSyntax, which names the byte offset, when data is
// not exactly one JSON object, holds a name twice in one object, is not UTF-8, or is nested deeper than
// [MaxDepth]. The caller bounds the size of data.
func DecodeDocument(data []byte) (Document, error) {
	// decodeObject finds duplicate names in the map that it makes. The decoder would keep a second record of them.
	d := jsontext.NewDecoder(bytes.NewBuffer(data), jsontext.AllowDuplicateNames(true))
	if k := d.PeekKind(); k != jsontext.KindBeginObject && k != jsontext.KindInvalid {
		return nil, syntaxError(d, fmt.Errorf("a JSON object is needed"))
	}
	v, err := decodeValue(d)
	if err != nil {
		return nil, syntaxError(d, err)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return nil, syntaxError(d, fmt.Errorf("text after the JSON object"))
	}
	return Document(v.(map[string]any)), nil
}

func syntaxError(d *jsontext.Decoder, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return &Error{
		Status: http.StatusBadRequest, Type: InvalidSyntax,
		Detail: fmt.Sprintf("invalid JSON at byte %d: %v", d.InputOffset(), plainCause(err)), Err: err,
	}
}

// plainCause takes off what would repeat the offset or quote the input.
func plainCause(err error) error {
	if s, ok := err.(*jsontext.SyntacticError); ok && s.Err != nil {
		return s.Err
	}
	return err
}

func decodeValue(d *jsontext.Decoder) (any, error) {
	if d.StackDepth() > MaxDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", MaxDepth)
	}
	tok, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch tok.Kind() {
	case jsontext.KindBeginObject:
		return decodeObject(d)
	case jsontext.KindBeginArray:
		return decodeArray(d)
	case jsontext.KindString:
		return tok.String(), nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return tok.Kind() == jsontext.KindTrue, nil
	case jsontext.KindNumber:
		return decodeNumber(tok.String())
	}
	return nil, nil
}

func decodeObject(d *jsontext.Decoder) (any, error) {
	object := make(map[string]any)
	for d.PeekKind() != jsontext.KindEndObject {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		// The token is only valid until the next read.
		key := name.String()
		if _, again := object[key]; again {
			return nil, errDuplicateName
		}
		value, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		object[key] = value
	}
	_, err := d.ReadToken()
	return object, err
}

var errDuplicateName = errors.New("duplicate name in an object")

func decodeArray(d *jsontext.Decoder) (any, error) {
	array := []any{}
	for d.PeekKind() != jsontext.KindEndArray {
		value, err := decodeValue(d)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := d.ReadToken()
	return array, err
}

func decodeNumber(text string) (any, error) {
	if i, err := strconv.ParseInt(text, 10, 64); err == nil {
		return i, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return nil, fmt.Errorf("number out of range")
	}
	if i, ok := wholeNumber(text, f); ok {
		return i, nil
	}
	return f, nil
}

// wholeNumber returns the number as an int64 when it is one that is written with a fraction or an exponent. Encoded again, the float64
// would read as an integer: equal numbers have one type from the start.
func wholeNumber(text string, f float64) (int64, bool) {
	if f != math.Trunc(f) || math.Abs(f) > 1<<63 {
		return 0, false
	}
	if math.Abs(f) < 1<<53 {
		return int64(f), true
	}
	// A float64 this large is not exact; 64 bits of mantissa are.
	exact, _, err := big.ParseFloat(text, 10, 64, big.ToNearestEven)
	if err != nil {
		return 0, false
	}
	i, accuracy := exact.Int64()
	return i, accuracy == big.Exact
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
