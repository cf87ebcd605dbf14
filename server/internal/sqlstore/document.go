package sqlstore

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

func encode(object map[string]any) (string, error) {
	var data []byte
	var err error
	if holdsLarge(object) {
		data, err = json.Marshal(object, exactly)
	} else {
		data, err = scim.Document(object).MarshalJSON()
	}
	if err != nil {
		return "", fmt.Errorf("encode document: %w", err)
	}
	return string(data), nil
}

// exactly are the options for JSON in which a float that is a large whole number has all its digits. With as few as tell it from other
// floats it would be read as another integer.
var exactly = json.JoinOptions(
	json.Deterministic(true),
	json.WithMarshalers(json.MarshalToFunc(func(e *jsontext.Encoder, f float64) error {
		if !isLarge(f) {
			return errors.ErrUnsupported
		}
		return e.WriteValue(strconv.AppendFloat(nil, f, 'f', 0, 64))
	})),
)

// isLarge reports whether f is an integer that may have more digits than are mostly written of it, and is read as an int64.
func isLarge(f float64) bool { return math.Abs(f) >= 1<<53 && math.Abs(f) <= 1<<63 }

// holdsLarge reports whether there is a large number in a value. Such documents are rare, and take more time to write.
func holdsLarge(v any) bool {
	switch v := v.(type) {
	case float64:
		return isLarge(v)
	case []any:
		return slices.ContainsFunc(v, holdsLarge)
	case map[string]any:
		for _, e := range v {
			if holdsLarge(e) {
				return true
			}
		}
	}
	return false
}

func decode(text string) (scim.Document, error) {
	doc, err := scim.DecodeDocument([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("document in the database: %w", err)
	}
	return doc, nil
}

// member is a member of a group, as it is kept apart from the document.
type member struct {
	value string
	// element are the sub-attributes other than value as JSON; nil when there are none.
	element *string
}

// split takes the members out of a document. Of two with one value the first counts. Elements that are no members stay.
func split(doc scim.Document) (scim.Document, []member, error) {
	list, ok := doc[server.Members].([]any)
	if !ok {
		return doc, nil, nil
	}
	members := make([]member, 0, len(list))
	seen := make(map[string]bool, len(list))
	var others []any
	for _, e := range list {
		value, ok := server.MemberValue(e)
		switch {
		case !ok:
			others = append(others, e)
		case !seen[value]:
			seen[value] = true
			m, err := memberOf(e.(map[string]any))
			if err != nil {
				return nil, nil, err
			}
			members = append(members, m)
		}
	}
	doc = maps.Clone(doc)
	if doc[server.Members] = others; others == nil {
		delete(doc, server.Members)
	}
	return doc, members, nil
}

func memberOf(element map[string]any) (member, error) {
	m := member{value: element["value"].(string)}
	if len(m.value) > maxKey || !plain(m.value) {
		e := scim.NewError(400, scim.InvalidValue, "members.value must be the id of a resource")
		e.Attribute = server.Members
		return m, e
	}
	if len(element) == 1 {
		return m, nil
	}
	rest := maps.Clone(element)
	delete(rest, "value")
	text, err := encode(rest)
	m.element = &text
	return m, err
}

// object returns the element that the member is in its group.
func (m member) object() (map[string]any, error) {
	if m.element == nil {
		return map[string]any{"value": m.value}, nil
	}
	object, err := decode(*m.element)
	if err != nil {
		return nil, err
	}
	object["value"] = m.value
	return object, nil
}

// join returns a document with members. doc is not changed.
func join(doc scim.Document, members []any) scim.Document {
	if len(members) == 0 {
		return doc
	}
	others, _ := doc[server.Members].([]any)
	doc = maps.Clone(doc)
	doc[server.Members] = append(others[:len(others):len(others)], members...)
	return doc
}
