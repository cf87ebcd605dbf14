package sqlquery

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
	"github.com/scimbridge/scim/server"
)

// Version changes when [Project], [ProjectMember] or [Entries] return something else for the same document and schema. They also depend on
// the folding of package unicode.
const Version = 1

// hollow is the name in the projection of a complex value that is there, but makes pr false: it has nothing but empty strings, or
// nothing at all. No attribute is called so.
const hollow = "~"

// Project returns the projection of a document. Equal documents have the same bytes. An error is about text
// that is not UTF-8, which no document has that was read as JSON.
func Project(s *schema.Schema, doc scim.Document) ([]byte, error) {
	p := projector{b: make([]byte, 0, 1024)}
	p.b = append(p.b, '{')
	for a := range s.Attributes() {
		if a.URN == "" {
			p.member(a, doc[a.Name])
		}
	}
	for _, extension := range s.Extensions() {
		p.member(extension, doc[extension.Name])
	}
	p.b = append(p.b, '}')
	if p.err != nil {
		return nil, fmt.Errorf("project document: %w", p.err)
	}
	return p.b, nil
}

// ProjectMember returns the projection of an element of members, for [Members.Search].
func ProjectMember(s *schema.Schema, element map[string]any) ([]byte, error) {
	p := projector{b: make([]byte, 0, 128)}
	a, ok := s.Lookup(server.Members)
	if !ok {
		return []byte("{}"), nil
	}
	if p.object(a, element); p.err != nil {
		return nil, fmt.Errorf("project member: %w", p.err)
	}
	return p.b, nil
}

// projector writes a projection.
type projector struct {
	b   []byte
	err error
}

// member writes the name and the value of an attribute, or nothing when it has none or is never shown.
func (p *projector) member(a *schema.Attribute, v any) {
	if v == nil || a.Sensitive() {
		return
	}
	before := len(p.b)
	p.name(a.Name)
	written := false
	switch {
	case a.MultiValued:
		written = p.array(a, v)
	case a.Type == schema.Complex:
		written = p.single(a, v)
	default:
		p.leaf(a, v)
		written = true
	}
	if !written {
		p.b = p.b[:before]
	}
}

func (p *projector) name(name string) {
	if p.b[len(p.b)-1] != '{' {
		p.b = append(p.b, ',')
	}
	p.quote(name)
	p.b = append(p.b, ':')
}

func (p *projector) quote(text string) {
	b, err := jsontext.AppendQuote(p.b, text)
	if p.b = b; p.err == nil {
		p.err = err
	}
}

// leaf writes a value that is not complex.
func (p *projector) leaf(a *schema.Attribute, v any) {
	text, ok := Text(a, v)
	if !ok {
		p.b = append(p.b, "null"...)
		return
	}
	p.quote(text)
}

// single writes the value of a complex attribute, if there is anything in it.
func (p *projector) single(a *schema.Attribute, v any) bool {
	if contentOf(v) == nothing {
		return false
	}
	p.object(a, v)
	return true
}

// object writes a complex value.
func (p *projector) object(a *schema.Attribute, v any) {
	p.b = append(p.b, '{')
	if object, ok := v.(map[string]any); ok {
		for _, sub := range a.Sub {
			p.member(sub, object[sub.Name])
		}
	} else if value, ok := a.SubAttribute("value"); ok {
		p.member(value, v) // a plain value is its own sub-attribute value
	}
	switch contentOf(v) {
	case nothing:
		p.name(hollow)
		p.quote("nothing")
	case emptyText:
		p.name(hollow)
		p.quote("")
	}
	p.b = append(p.b, '}')
}

// array writes the values of a multi-valued attribute, if there is one.
func (p *projector) array(a *schema.Attribute, v any) bool {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	p.b = append(p.b, '[')
	before := len(p.b)
	first := ordering(list)
	p.element(a, list, first)
	for i := range list {
		if i != first {
			p.element(a, list, i)
		}
	}
	if len(p.b) == before {
		return false
	}
	p.b = append(p.b, ']')
	return true
}

func (p *projector) element(a *schema.Attribute, list []any, i int) {
	if i >= len(list) || list[i] == nil {
		return
	}
	if p.b[len(p.b)-1] != '[' {
		p.b = append(p.b, ',')
	}
	if a.Type == schema.Complex {
		p.object(a, list[i])
		return
	}
	p.leaf(a, list[i])
}

// ordering returns the index of the element that counts when resources are ordered: the primary one, or else the first.
func ordering(list []any) int {
	for i, e := range list {
		if object, ok := e.(map[string]any); ok && object["primary"] == true {
			return i
		}
	}
	return 0
}

// content is what there is in a value.
type content uint8

const (
	nothing   content = iota // null, or an object or array with nothing else
	emptyText                // empty strings, too
	something
)

func contentOf(v any) content {
	most := nothing
	switch v := v.(type) {
	case nil:
	case string:
		if most = something; v == "" {
			most = emptyText
		}
	case []any:
		for _, e := range v {
			if most = max(most, contentOf(e)); most == something {
				break
			}
		}
	case map[string]any:
		for _, e := range v {
			if most = max(most, contentOf(e)); most == something {
				break
			}
		}
	default:
		most = something
	}
	return most
}
