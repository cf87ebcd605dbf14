package filter

// appendNode writes n with no more parentheses than it needs.
func appendNode(b []byte, n Node) []byte {
	switch n := n.(type) {
	case *Or:
		for i, t := range n.Terms {
			if i > 0 {
				b = append(b, " or "...)
			}
			b = appendNode(b, t)
		}
	case *And:
		for i, t := range n.Terms {
			if i > 0 {
				b = append(b, " and "...)
			}
			if _, ok := t.(*Or); ok {
				b = appendGroup(b, t)
			} else {
				b = appendNode(b, t)
			}
		}
	case *Not:
		b = appendGroup(append(b, "not "...), n.Term)
	case *ValuePath:
		b = append(n.Attr.append(b), '[')
		b = append(appendNode(b, n.Term), ']')
	case *Compare:
		b = append(n.Attr.append(b), ' ')
		b = append(append(b, n.Op.String()...), ' ')
		b = n.Value.append(b)
	case *Present:
		b = append(n.Attr.append(b), " pr"...)
	}
	return b
}

func appendGroup(b []byte, n Node) []byte {
	return append(appendNode(append(b, '('), n), ')')
}
