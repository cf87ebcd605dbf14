package schema

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/scimbridge/scim"
)

// fault is what is wrong with a value. Its path grows from the inside out while it is handed up.
type fault struct {
	typ    scim.ErrorType
	path   string
	detail string
}

// inAttribute returns the fault as one in the value of the attribute called name.
func (f *fault) inAttribute(name string, extension bool) *fault {
	switch {
	case f.path == "" || f.path[0] == '[':
		f.path = name + f.path
	case extension:
		f.path = name + ":" + f.path
	default:
		f.path = name + "." + f.path
	}
	return f
}

// inElement returns the fault as one in the element at index i.
func (f *fault) inElement(i int) *fault {
	index := "[" + strconv.Itoa(i) + "]"
	if f.path != "" && f.path[0] != '[' {
		index += "."
	}
	f.path = index + f.path
	return f
}

// err returns the fault as an error, nil for none.
func (f *fault) err() error {
	if f == nil {
		return nil
	}
	detail := f.detail
	if f.path != "" {
		detail = f.path + ": " + detail
	}
	return &scim.Error{Status: http.StatusBadRequest, Type: f.typ, Attribute: f.path, Detail: detail}
}

func invalidValue(format string, args ...any) *fault {
	return &fault{typ: scim.InvalidValue, detail: fmt.Sprintf(format, args...)}
}

func invalidSyntax(format string, args ...any) *fault {
	return &fault{typ: scim.InvalidSyntax, detail: fmt.Sprintf(format, args...)}
}

// wrongType is the fault of a value that is not what the attribute allows.
func wrongType(a *Attribute, given any) *fault {
	return invalidValue("must be %s, not %s", a.allowed(), describe(given, a.secret))
}

// allowed says in words what one value of the attribute may be.
func (a *Attribute) allowed() string {
	switch a.Type {
	case String:
		return "a string"
	case Boolean:
		return "a boolean (true or false)"
	case Integer:
		return "an integer of at most 64 bits"
	case Decimal:
		return "a number"
	case DateTime:
		return "a dateTime such as 2008-01-23T04:56:22Z"
	case Binary:
		return "a string of base64"
	case Reference:
		return "a string with a URI"
	case Complex:
		return "an object with " + a.subNames()
	}
	return string(a.Type)
}

// subNames lists the sub-attributes, the first few of many.
func (a *Attribute) subNames() string {
	const most = 12
	list := make([]string, 0, most)
	for _, sub := range a.Sub[:min(len(a.Sub), most)] {
		list = append(list, sub.Name)
	}
	if len(a.Sub) > most {
		list = append(list, "…")
	}
	return strings.Join(list, ", ")
}

// describe says what a value is, for a person: its type, and what it is unless secret or large.
func describe(v any, secret bool) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return fmt.Sprintf("an array of %d", len(v))
	case string:
		if secret {
			return "a string"
		}
		return "the string " + shorten(v)
	case bool, int64, float64:
		if secret {
			return "a value that is not shown"
		}
		return fmt.Sprintf("%v", v)
	}
	return fmt.Sprintf("a Go value of type %T", v)
}

// shorten quotes a text that came from outside, cut to what a line of log can hold.
func shorten(s string) string {
	const most = 40
	if len(s) <= most {
		return strconv.Quote(s)
	}
	cut := most
	for cut > most-4 && s[cut]&0xC0 == 0x80 {
		cut-- // not within a character
	}
	return strconv.Quote(s[:cut]) + "…"
}

// spellings returns the names in object that are a's, sorted.
func spellings(object map[string]any, find func(string) (*Attribute, bool), a *Attribute) []string {
	var list []string
	for name := range object {
		if found, ok := find(name); ok && found == a {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
