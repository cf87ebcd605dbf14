package schema

import (
	"net/http"
	"strings"

	"github.com/scimbridge/scim"
)

// Projection says which attributes of a document are to be returned (RFC 7644 section 3.9). It is made by
// [Schema.Projection], for that schema, and is immutable. The zero Projection is what is returned by default.
type Projection struct{ root *choice }

// Projection returns what the parameters attributes and excludedAttributes ask for. Each string may hold several names,
// separated by commas; names are in any case, and may be those of sub-attributes, extensions, and of the core
// schema's URN for all its attributes.
//
//   - Without attributes, all that is returned by default is; with it, what it names.
//   - excludedAttributes are then taken away. Both may be given.
//   - id, schemas, and what else is returned always is there in any case; what is returned never is in no case.
//   - What is returned on request must be named itself; a complex attribute that is named does not bring it along.
//
// Names that the schema does not define are not an error: they select attributes that documents hold all the same (see
// [UnknownKeep]). A text that cannot be a name is: a [*scim.Error] with status 400 and type invalidValue.
func (s *Schema) Projection(attributes, excluded []string) (Projection, error) {
	r := request{schema: s}
	var err error
	if r.named, r.namedUnknown, err = s.selection("attributes", attributes, true); err != nil {
		return Projection{}, err
	}
	if r.excluded, r.excludedUnknown, err = s.selection("excludedAttributes", excluded, false); err != nil {
		return Projection{}, err
	}
	if !r.selective() && len(r.excluded)+len(r.excludedUnknown) == 0 {
		return Projection{}, nil
	}
	return Projection{root: r.choose(s.root, !r.selective())}, nil
}

// Project returns the attributes of a canonical document that the projection asks for. The result is a new map that shares
// the values of doc where nothing is to be left out of them: neither may be changed while the other is in use.
func (s *Schema) Project(doc scim.Document, p Projection) scim.Document {
	root := p.root
	if root == nil {
		root = s.whole
	}
	out, _ := root.object(doc).(map[string]any)
	if out == nil {
		out = make(map[string]any)
	}
	return out
}

// maxName is how long a name in attributes may be. A longer one is no name, and each of its parts is looked at.
const maxName = 1000

// selection returns the attributes that a parameter names, and in lower case the names that the schema does not have.
func (s *Schema) selection(parameter string, lists []string, include bool) (map[*Attribute]bool, map[string]bool, error) {
	known, unknown := make(map[*Attribute]bool), make(map[string]bool)
	for _, list := range lists {
		for name := range strings.SplitSeq(list, ",") {
			name = strings.TrimSpace(name)
			if name == "" {
				continue
			}
			if len(name) > maxName || strings.ContainsAny(name, " \t\r\n\"'()[]{}<>\\") {
				return nil, nil, &scim.Error{
					Status: http.StatusBadRequest, Type: scim.InvalidValue,
					Detail: parameter + ": must hold names of attributes, not " + shorten(name),
				}
			}
			s.mark(name, known, unknown, include)
		}
	}
	return known, unknown, nil
}

// mark adds the attributes that one name means.
func (s *Schema) mark(name string, known map[*Attribute]bool, unknown map[string]bool, include bool) {
	a, ok := s.LookupLoose(name)
	switch {
	case ok:
		known[a] = true
	case equalName(name, s.core.urn):
		for _, a := range s.core.attributes {
			known[a] = true
		}
	case include:
		// To show a part of what no schema describes, all of it has to be shown.
		name = lower(name)
		for i, c := range name {
			if c == '.' || c == ':' {
				unknown[name[:i]] = true
			}
		}
		unknown[name] = true
	default:
		unknown[lower(name)] = true
	}
}

// request is what a client asked for.
type request struct {
	schema                        *Schema
	named, excluded               map[*Attribute]bool
	namedUnknown, excludedUnknown map[string]bool
}

// selective reports whether only what is named is returned.
func (r *request) selective() bool { return len(r.named)+len(r.namedUnknown) > 0 }

// choice is what is to be returned of the value of a complex attribute.
type choice struct {
	attribute *Attribute
	// all says that nothing is to be left out: the value can be shared.
	all bool
	// subs is indexed by position; nil for what is left out.
	subs []*choice
	// unknown says whether attributes without a definition are returned; except says for which the contrary holds. These are
	// full paths in lower case.
	unknown bool
	except  map[string]bool
}

// choose returns what is to be returned of a, of which covered says that all is asked for; nil for nothing.
func (r *request) choose(a *Attribute, covered bool) *choice {
	if a.Type != Complex {
		return &choice{attribute: a, all: true}
	}
	c := &choice{attribute: a, subs: make([]*choice, len(a.Sub)), unknown: covered, except: r.namedUnknown}
	if covered {
		c.except = r.excludedUnknown
	}
	c.all = covered && len(c.except) == 0
	for i, sub := range a.Sub {
		c.subs[i] = r.chooseSub(sub, covered)
		c.all = c.all && c.subs[i] != nil && c.subs[i].all
	}
	return c
}

func (r *request) chooseSub(a *Attribute, covered bool) *choice {
	always := a.Returned == ReturnedAlways || a == r.schema.id
	switch {
	case a.Returned == ReturnedNever:
		return nil
	case always:
		return r.choose(a, true)
	case r.excluded[a]:
		return nil
	case r.named[a]:
		return r.choose(a, true)
	case covered:
		if a.Returned == ReturnedRequest {
			return nil
		}
		return r.choose(a, true)
	case r.namesBelow(a):
		return r.choose(a, false)
	}
	return nil
}

// namesBelow reports whether something in the value of a is named.
func (r *request) namesBelow(a *Attribute) bool {
	for _, sub := range a.Sub {
		if r.named[sub] || r.namesBelow(sub) {
			return true
		}
	}
	return a.Type == Complex && r.namedUnknown[lower(a.path)]
}

// value returns what is to be returned of a value; nil when nothing is left.
func (c *choice) value(v any) any {
	if c.all {
		return v
	}
	switch v := v.(type) {
	case map[string]any:
		return c.object(v)
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			if p := c.value(e); p != nil {
				out = append(out, p)
			}
		}
		if len(out) == 0 {
			return nil
		}
		return out
	}
	return v
}

func (c *choice) object(object map[string]any) any {
	out := make(map[string]any, len(object))
	for name, v := range object {
		a, ok := c.attribute.subs.find(name)
		if !ok {
			if c.keepsUnknown(name) {
				out[name] = v
			}
			continue
		}
		if sub := c.subs[a.position]; sub != nil {
			if p := sub.value(v); p != nil {
				out[name] = p
			}
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

func (c *choice) keepsUnknown(name string) bool {
	if len(c.except) == 0 {
		return c.unknown
	}
	path := lower(name)
	switch a := c.attribute; {
	case a.extension:
		path = lower(a.path) + ":" + path
	case a.path != "":
		path = lower(a.path) + "." + path
	}
	return c.except[path] != c.unknown
}
