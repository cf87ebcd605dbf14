package mapping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/mapping/expr"
)

// Scope says whether an object is in scope of a mapping.
type Scope struct {
	In bool
	// Hold is set for an object that is out of scope by [ObjectMapping.InputScope]: it is not to be deprovisioned.
	Hold bool
	// Reason says in words why an object is out of scope. It holds no values of the object.
	Reason string
}

// InScope reports whether an object is in scope.
func (m *Mapping) InScope(source map[string]any) Scope {
	if !m.inputScope.match(source) {
		return Scope{Hold: true, Reason: m.inputScope.reason(source)}
	}
	if !m.scope.match(source) {
		return Scope{Reason: m.scope.reason(source)}
	}
	if m.filter != nil && !m.filter.Match(m.filterable(source)) {
		return Scope{Reason: "filter " + m.definition.Filter + " does not match"}
	}
	return Scope{In: true}
}

// filterable gives the source object with its dates as text, which is what filters compare.
func (m *Mapping) filterable(source map[string]any) map[string]any {
	copied := false
	for _, name := range m.filterNames {
		t, ok := source[name].(time.Time)
		if !ok {
			continue
		}
		if !copied {
			source, copied = cloneTop(source), true
		}
		source[name] = dateTime(t)
	}
	return source
}

func cloneTop(m map[string]any) map[string]any {
	c := make(map[string]any, len(m))
	for name, v := range m {
		c[name] = v
	}
	return c
}

// groups are compiled scoping filters, one of which must match.
type groups []group

type group struct {
	name    string
	clauses []clause
}

type clause struct {
	definition Clause
	source     *sourceAttribute
	values     []string
	numbers    []int64
	patterns   []expr.Regexp
}

// match reports whether one group matches, or there are none.
func (gs groups) match(source map[string]any) bool {
	for i := range gs {
		if gs[i].failing(source) == nil {
			return true
		}
	}
	return len(gs) == 0
}

// failing returns the first clause that is not true.
func (g *group) failing(source map[string]any) *clause {
	for i := range g.clauses {
		if !g.clauses[i].match(source) {
			return &g.clauses[i]
		}
	}
	return nil
}

// reason names for each group the clause that was not true.
func (gs groups) reason(source map[string]any) string {
	var b strings.Builder
	for i := range gs {
		failing := gs[i].failing(source)
		if failing == nil {
			continue
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(gs[i].label(i))
		b.WriteString(": ")
		b.WriteString(failing.String())
		b.WriteString(" is not true")
	}
	return b.String()
}

func (g *group) label(i int) string {
	if g.name != "" {
		return "filter " + strconv.Quote(g.name)
	}
	return "filter " + strconv.Itoa(i+1)
}

// String prints the clause as the portal shows it.
func (c *clause) String() string {
	text := c.definition.Attribute + " " + string(c.definition.Operator)
	if c.definition.Operator.Unary() {
		return text
	}
	for i, v := range c.values {
		if i > 0 {
			text += ","
		}
		text += " " + strconv.Quote(v)
	}
	return text
}

// match reports whether the clause is true of an object.
func (c *clause) match(source map[string]any) bool {
	v := expr.FromAny(c.source.value(source))
	empty := v.IsNullOrEmpty() || v.Len() == 0
	switch op := c.definition.Operator; {
	case op == IsNull:
		return empty
	case op == IsNotNull:
		return !empty
	case empty:
		return false
	case v.Len() == 1:
		return c.matchOne(v.At(0))
	default:
		all := op.negated()
		for i := range v.Len() {
			if c.matchOne(v.At(i)) != all {
				return !all
			}
		}
		return all
	}
}

// matchOne reports whether the clause is true of one value.
func (c *clause) matchOne(v expr.Value) bool {
	switch c.definition.Operator {
	case IsTrue, IsFalse:
		b, ok := boolean(v)
		return ok && b == (c.definition.Operator == IsTrue)
	case GreaterThan, GreaterThanOrEquals, BitsSet, BitsClear:
		return c.matchNumber(v)
	}
	text := scalar(v)
	if text == "" {
		return false
	}
	switch c.definition.Operator {
	case Equals:
		return c.anyEqual(v, text)
	case NotEquals:
		return !c.anyEqual(v, text)
	case RegexMatch:
		return c.anyPattern(text)
	case NotRegexMatch:
		return !c.anyPattern(text)
	case Includes:
		return slices.ContainsFunc(c.values, func(want string) bool { return strings.Contains(text, want) })
	case EndsWith:
		return slices.ContainsFunc(c.values, func(want string) bool { return strings.HasSuffix(text, want) })
	}
	return false
}

func (c *clause) anyEqual(v expr.Value, text string) bool {
	for _, want := range c.values {
		if text == want || v.Kind() == expr.KindBool && strings.EqualFold(text, want) {
			return true
		}
	}
	return false
}

func (c *clause) anyPattern(text string) bool {
	for _, p := range c.patterns {
		if p.FindAllStringSubmatchIndex(text, 1) != nil {
			return true
		}
	}
	return false
}

func (c *clause) matchNumber(v expr.Value) bool {
	n, ok := integer(v)
	if !ok {
		return false
	}
	for _, want := range c.numbers {
		switch c.definition.Operator {
		case GreaterThan:
			ok = n > want
		case GreaterThanOrEquals:
			ok = n >= want
		case BitsSet:
			ok = n&want != 0
		case BitsClear:
			if n&want != 0 {
				return false
			}
		}
		if ok && c.definition.Operator != BitsClear {
			return true
		}
	}
	return c.definition.Operator == BitsClear
}

// maxPattern bounds the length of a regular expression, in bytes.
const maxPattern = 10_000

// compileGroups checks scoping filters.
func (c *compiler) compileGroups(kind string, definitions []FilterGroup) (groups, error) {
	var gs groups
	for i, d := range definitions {
		g := group{name: d.Name}
		if len(d.Clauses) == 0 {
			return nil, fmt.Errorf("%s: %s has no clauses", kind, g.label(i))
		}
		for _, definition := range d.Clauses {
			compiled, err := c.compileClause(definition)
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %s: %w", kind, g.label(i), definition.Attribute, err)
			}
			g.clauses = append(g.clauses, compiled)
		}
		gs = append(gs, g)
	}
	return gs, nil
}

func (c *compiler) compileClause(d Clause) (clause, error) {
	compiled := clause{definition: d, values: d.Values}
	if d.Attribute == "" {
		return compiled, fmt.Errorf("a clause needs an attribute")
	}
	if !slices.Contains(Operators(), d.Operator) {
		return compiled, unknownOperator(d.Operator)
	}
	if d.Value != "" && len(d.Values) > 0 {
		return compiled, fmt.Errorf("value and values are both given")
	}
	if len(d.Values) == 0 && !d.Operator.Unary() {
		compiled.values = []string{d.Value}
	}
	if d.Operator.Unary() && (d.Value != "" || len(d.Values) > 0) {
		return compiled, fmt.Errorf("%s compares with nothing, but a value is given", d.Operator)
	}
	compiled.source = c.source(d.Attribute)
	for _, v := range compiled.values {
		if err := compiled.operand(v, c.options.regexSearch); err != nil {
			return compiled, err
		}
	}
	return compiled, nil
}

// operand prepares one value that the attribute is compared with.
func (c *clause) operand(v string, search bool) error {
	if v == "" {
		return fmt.Errorf("%s needs a value: an empty one is %s", c.definition.Operator, IsNull)
	}
	switch c.definition.Operator {
	case GreaterThan, GreaterThanOrEquals, BitsSet, BitsClear:
		n, err := wholeNumber(strings.TrimSpace(v))
		if err != nil {
			return fmt.Errorf("%s needs a whole number, not %q", c.definition.Operator, short(v))
		}
		c.numbers = append(c.numbers, n)
	case RegexMatch, NotRegexMatch:
		if len(v) > maxPattern {
			return fmt.Errorf("a regular expression may be %d bytes long, not %d", maxPattern, len(v))
		}
		// The pattern is compiled by itself first, so that it cannot close the group it is put into.
		p, err := expr.CompileRegexp(v)
		if err == nil && !search {
			p, err = expr.CompileRegexp(`\A(?:` + v + `)\z`)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", c.definition.Operator, err)
		}
		c.patterns = append(c.patterns, p)
	}
	return nil
}

// wholeNumber reads a number in decimal digits, as attributes have them, or in hexadecimal ones after 0x, as flags are often written.
func wholeNumber(s string) (int64, error) {
	if digits, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		n, err := strconv.ParseUint(digits, 16, 63)
		return int64(n), err
	}
	return strconv.ParseInt(s, 10, 64)
}

func unknownOperator(o Operator) error {
	if o == "IsMemberOf" {
		return fmt.Errorf("operator IsMemberOf is in Entra's code but not supported by it: choose groups by the scope of the job, or give people an attribute")
	}
	for _, known := range Operators() {
		if strings.EqualFold(squeeze(string(known)), squeeze(string(o))) {
			return fmt.Errorf("unknown operator %q: did you mean %q?", short(string(o)), known)
		}
	}
	return fmt.Errorf("unknown operator %q: one of %q is needed", short(string(o)), Operators())
}

// squeeze leaves out what people write differently.
func squeeze(s string) string { return strings.NewReplacer(" ", "", "_", "", "-", "").Replace(s) }

// short returns text for an error message.
func short(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}

// compileFilter compiles the scoping filter in SCIM's filter language.
func (c *compiler) compileFilter(text string) error {
	m := c.mapping
	if text == "" {
		return nil
	}
	f, err := filter.Parse(text)
	if err != nil {
		return err
	}
	if m.filter, err = f.Compile(nil); err != nil {
		return err
	}
	for _, a := range f.Attributes() {
		name := a.Name
		if a.URN != "" {
			name = a.URN + ":" + a.Name
		}
		c.source(name)
		if a.URN == "" && a.Sub == "" {
			m.filterNames = append(m.filterNames, a.Name)
		}
	}
	return nil
}
