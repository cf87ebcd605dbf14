package scim

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"sync"

	"github.com/go-json-experiment/json/jsontext"
)

// decodeValue reads a document value.
func decodeValue(d *jsontext.Decoder) (any, error) { return (&decoder{Decoder: d}).value() }

// decoder reads document values.
type decoder struct {
	*jsontext.Decoder
	// members and elements are those of the objects and arrays that are being read. They are made when their size is known.
	members  []member
	elements []any
	source   bytes.Buffer // what [newDecoder] reads
}

// decoders has decoders between two documents: a new one takes up two fifths as much memory as the user that it reads.
var decoders = sync.Pool{New: func() any { return &decoder{Decoder: new(jsontext.Decoder)} }}

// newDecoder returns a decoder for data. It has to be released.
func newDecoder(data []byte) *decoder {
	d := decoders.Get().(*decoder)
	d.source = *bytes.NewBuffer(data)
	// The decoder finds duplicate names in the map that it makes. The library would keep a second record of them.
	d.Reset(&d.source, jsontext.AllowDuplicateNames(true))
	return d
}

// release takes back a decoder, which forgets what it has read.
func (d *decoder) release() {
	const most = 1 << 10 // one huge document must not hold its memory for ever
	if cap(d.members) > most || cap(d.elements) > most {
		return
	}
	clear(d.members[:cap(d.members)])
	clear(d.elements[:cap(d.elements)])
	d.members, d.elements = d.members[:0], d.elements[:0]
	d.source = bytes.Buffer{}
	d.Reset(&d.source)
	decoders.Put(d)
}

// member is one of an object.
type member struct {
	name   string
	value  any
	offset int64 // behind the name
}

func (d *decoder) value() (any, error) {
	if d.StackDepth() > MaxDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", MaxDepth)
	}
	switch d.PeekKind() {
	case jsontext.KindBeginObject:
		return d.object()
	case jsontext.KindBeginArray:
		return d.array()
	case jsontext.KindString:
		raw, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		if len(raw) <= longestKnown {
			if v, ok := wellKnown[string(raw)]; ok {
				return v, nil
			}
		}
		return text(raw)
	case jsontext.KindNumber:
		raw, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		return decodeNumber(string(raw))
	}
	tok, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch tok.Kind() {
	case jsontext.KindTrue, jsontext.KindFalse:
		return tok.Kind() == jsontext.KindTrue, nil
	}
	return nil, nil
}

func (d *decoder) object() (any, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	if d.members == nil {
		d.members = make([]member, 0, 16) // few messages need more
	}
	start := len(d.members)
	for d.PeekKind() != jsontext.KindEndObject {
		name, err := d.name()
		if err != nil {
			return nil, err
		}
		offset := d.InputOffset()
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		d.members = append(d.members, member{name, value, offset})
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	members := d.members[start:]
	object := make(map[string]any, len(members))
	for _, m := range members {
		object[m.name] = m.value
	}
	if len(object) < len(members) {
		return nil, duplicateName(members)
	}
	d.members = d.members[:start]
	return object, nil
}

func (d *decoder) name() (string, error) {
	raw, err := d.ReadValue()
	if err != nil {
		return "", err
	}
	if len(raw) <= longestKnown {
		if v, ok := wellKnown[string(raw)]; ok {
			return v.(string), nil
		}
	}
	return text(raw)
}

var errDuplicateName = errors.New("duplicate name in an object")

// duplicateNameError is a name that an object has twice. The offset is behind the second.
type duplicateNameError struct{ offset int64 }

func (e *duplicateNameError) Error() string { return errDuplicateName.Error() }
func (e *duplicateNameError) Unwrap() error { return errDuplicateName }

func duplicateName(members []member) error {
	seen := make(map[string]bool, len(members))
	for _, m := range members {
		if seen[m.name] {
			return &duplicateNameError{m.offset}
		}
		seen[m.name] = true
	}
	return errDuplicateName
}

func (d *decoder) array() (any, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	if d.elements == nil {
		d.elements = make([]any, 0, 4)
	}
	start := len(d.elements)
	for d.PeekKind() != jsontext.KindEndArray {
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		d.elements = append(d.elements, value)
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, err
	}
	array := append(make([]any, 0, len(d.elements)-start), d.elements[start:]...)
	d.elements = d.elements[:start]
	return array, nil
}

// text returns the text of a JSON string.
func text(raw jsontext.Value) (string, error) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw[1 : len(raw)-1]), nil
	}
	b, err := jsontext.AppendUnquote(nil, raw)
	return string(b), err
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

// longestKnown is more bytes than what wellKnown holds has.
const longestKnown = 72

// wellKnown holds what nearly every message contains, by its JSON: names and values that need no memory of their own.
var wellKnown = func() map[string]any {
	known := make(map[string]any)
	for _, s := range []string{
		UserSchema, GroupSchema, EnterpriseUserSchema, PatchOpSchema, BulkRequestSchema, SearchRequestSchema, ListResponseSchema,
		"schemas", "id", "externalId", "meta", "resourceType", "created", "lastModified", "location", "version",
		"userName", "name", "formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix", "displayName",
		"nickName", "profileUrl", "title", "userType", "preferredLanguage", "locale", "timezone", "active", "password", "emails",
		"phoneNumbers", "ims", "photos", "addresses", "groups", "entitlements", "roles", "x509Certificates", "value", "display", "type",
		"primary", "$ref", "streetAddress", "locality", "region", "postalCode", "country", "members", "employeeNumber", "costCenter",
		"organization", "division", "department", "manager", "Operations", "op", "path", "data", "method", "bulkId",
		"User", "Group", "work", "home", "mobile", "other", "fax", "add", "replace", "remove", "Add", "Replace", "Remove",
		"POST", "PUT", "PATCH", "DELETE", "/Users", "/Groups",
	} {
		known[`"`+s+`"`] = s
	}
	return known
}()
