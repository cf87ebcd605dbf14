package schema

// foldSpace is how long a name may be to be looked up in another case without allocating.
const foldSpace = 256

// names finds attributes by name in any case. It holds each name as the schema spells it, which is how names mostly
// arrive, and in lower case.
type names struct {
	attributes map[string]*Attribute
	longest    int
}

// add reports whether the name was free, or a's already.
func (n *names) add(name string, a *Attribute) bool {
	if n.attributes == nil {
		n.attributes = make(map[string]*Attribute)
	}
	if known, ok := n.attributes[lower(name)]; ok && known != a {
		return false
	}
	n.attributes[name] = a
	n.attributes[lower(name)] = a
	n.longest = max(n.longest, len(name))
	return true
}

func (n *names) find(name string) (*Attribute, bool) {
	if a, ok := n.attributes[name]; ok {
		return a, true
	}
	if len(name) > n.longest {
		return nil, false
	}
	var space [foldSpace]byte
	a, ok := n.attributes[string(appendLower(space[:0], name))]
	return a, ok
}

// appendLower appends s with its ASCII letters in lower case. Unlike Unicode's folding it takes no
// other letter, such as the Kelvin sign, for one of them.
func appendLower(b []byte, s string) []byte {
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

// equalName reports whether two names are the same in any case.
func equalName(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		c, d := a[i], b[i]
		if c != d && (c|0x20 != d|0x20 || c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return true
}

func lower(s string) string { return string(appendLower(nil, s)) }
