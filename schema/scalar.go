package schema

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// scalar returns the canonical form of a value that is not complex; nil when it is unassigned.
func (c *canonicaliser) scalar(a *Attribute, v any) (any, *fault) {
	switch a.Type {
	case String:
		if s, ok := v.(string); ok && utf8.ValidString(s) {
			return v, nil // and not s, which would have to be put in an interface again
		}
	case Boolean:
		if _, ok := v.(bool); ok {
			return v, nil
		}
	case Integer:
		if n, ok := integer(v); ok {
			return n, nil
		}
	case Decimal:
		if n, ok := decimal(v); ok {
			return n, nil
		}
	case DateTime:
		if s, ok := v.(string); ok {
			if t, ok := canonicalTime(s); ok {
				return same(v, s, t), nil
			}
		}
	case Binary:
		if s, ok := v.(string); ok {
			if b, ok := canonicalBase64(s, c.Tolerant); ok {
				return same(v, s, b), nil
			}
		}
	case Reference:
		if s, ok := v.(string); ok {
			if r, ok := canonicalReference(s, c.Tolerant); ok {
				return same(v, s, r), nil
			}
		}
	}
	return c.odd(a, v)
}

// same returns v when it holds canonical already, to save putting the string in an interface again.
func same(v any, given, canonical string) any {
	if given == canonical {
		return v
	}
	return canonical
}

// odd deals with a value that is not of the attribute's type: another Go type, unassigned, or what a tolerant
// reader understands.
func (c *canonicaliser) odd(a *Attribute, v any) (any, *fault) {
	switch v := v.(type) {
	case []any:
		return c.onlyElement(a, v)
	case map[string]any:
		return nil, wrongType(a, v)
	case string, bool, int64, float64:
		if t, ok := c.tolerate(a, v); ok {
			return t, nil
		}
		return nil, wrongType(a, v)
	}
	p, f := plain(v)
	if f != nil || p == nil {
		return nil, f
	}
	return c.scalar(a, p)
}

// tolerate converts what clients send in place of a value of the attribute's type.
func (c *canonicaliser) tolerate(a *Attribute, v any) (any, bool) {
	if !c.Tolerant {
		return nil, false
	}
	switch v := v.(type) {
	case string:
		return parse(a.Type, strings.TrimSpace(v))
	case int64:
		return strconv.FormatInt(v, 10), a.Type == String
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), a.Type == String && finite(v)
	}
	return nil, false
}

// parse reads a boolean or a number from a string.
func parse(t Type, s string) (any, bool) {
	switch t {
	case Boolean:
		if strings.EqualFold(s, "true") {
			return true, true
		}
		return false, strings.EqualFold(s, "false")
	case Integer:
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil
	case Decimal:
		n, err := strconv.ParseFloat(s, 64)
		return n, err == nil && finite(n)
	}
	return nil, false
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// integer returns v as int64 if it is a whole number. 5.0 is one: not every JSON reader keeps 5 apart from it.
func integer(v any) (any, bool) {
	switch n := v.(type) {
	case int64:
		return v, true
	case float64:
		// Beyond 2^53 a float64 is not exact, and need not be the number that was sent.
		if n == math.Trunc(n) && math.Abs(n) <= 1<<53 {
			return int64(n), true
		}
	}
	return nil, false
}

func decimal(v any) (any, bool) {
	switch n := v.(type) {
	case float64:
		return v, finite(n)
	case int64:
		return float64(n), true
	}
	return nil, false
}
