package mapping

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/scimbridge/scim/mapping/expr"
)

// Explanation tells how a mapping treats one object.
type Explanation struct {
	Mapping string
	Scope   Scope
	// Conditions are what scoping filters ask, each with its answer; empty without filters.
	Conditions []Condition
	// Steps are the attribute mappings in their order.
	Steps []Step
	// Result is what [Mapping.Map] returns; Err its error.
	Result Result
	Err    error
}

// Condition is one clause of a scoping filter, or a filter in SCIM's language.
type Condition struct {
	// Filter is the scoping filter that the clause is part of.
	Filter string
	Text   string
	// Value is what the object has, as text.
	Value string
	True  bool
}

// Step is what one attribute mapping gave.
type Step struct {
	// Target is the path of the attribute.
	Target string
	Kind   Kind
	// From is the source attribute, the constant, or the expression.
	From string
	// Inputs are the source attributes read, with their values as text.
	Inputs []Input
	// Value is what the target attribute gets, or the ids of the source that it refers to; nil when there is none.
	Value any
	// Outcome says what happens with the attribute, and why.
	Outcome string
	// Err says why there is no value.
	Err error
}

// Input is a source attribute as text; quoted when it is one, null when it is absent.
type Input struct {
	Name  string
	Value string
}

// redacted stands for values that must not be shown.
const redacted = "[Redact]"

// Explain tells what the mapping makes of an object, step by step, as Entra's expression builder does for one expression. It is
// for people: unlike [Mapping.Map] it goes on after an error, and looks at objects that are out of scope too. Values of expressions
// that use Redact are left out of everything but Result.
func (m *Mapping) Explain(ctx context.Context, source map[string]any, env Env) Explanation {
	e := Explanation{Mapping: m.name, Scope: m.InScope(source)}
	e.conditions("input scope", m.inputScope, source)
	e.conditions("scope", m.scope, source)
	if m.filter != nil {
		e.Conditions = append(e.Conditions, Condition{
			Filter: "filter", Text: m.definition.Filter, True: m.filter.Match(m.filterable(source)),
		})
	}
	e.Result, e.Err = m.mapObject(ctx, source, &env, &e)
	return e
}

func (e *Explanation) conditions(kind string, gs groups, source map[string]any) {
	for i := range gs {
		for k := range gs[i].clauses {
			c := &gs[i].clauses[k]
			e.Conditions = append(e.Conditions, Condition{
				Filter: kind + ", " + gs[i].label(i), Text: c.String(), True: c.match(source), Value: display(c.source.value(source)),
			})
		}
	}
}

// note adds the step of an attribute mapping.
func (e *Explanation) note(m *Mapping, a *attribute, source map[string]any, out outcome, err error) {
	s := Step{Target: a.target.name, Kind: a.kind, Err: err, Value: out.value}
	hidden := a.program != nil && a.program.Redacted()
	switch a.kind {
	case Direct:
		s.From = a.definition.Source
		s.Inputs = []Input{{s.From, display(a.source.value(source))}}
	case Constant:
		s.From = strconv.Quote(a.definition.Constant)
	case Expression:
		s.From = a.definition.Expression
		for _, name := range a.program.Attributes() {
			value := redacted
			if !hidden {
				value = display(m.sources[name].value(source))
			}
			s.Inputs = append(s.Inputs, Input{name, value})
		}
	}
	if a.target.reference && out.ids != nil {
		s.Value = out.ids
	}
	s.Outcome = a.outcome(out, err)
	if hidden && s.Value != nil {
		s.Value = redacted
	}
	e.Steps = append(e.Steps, s)
}

// outcome says what happens with an attribute.
func (a *attribute) outcome(out outcome, err error) string {
	d := &a.definition
	switch {
	case err != nil:
		return "the object fails"
	case out.ignoreObject:
		return "the object is left out of this cycle"
	case out.ignore:
		return "left out: the expression says so"
	case a.target.reference && len(out.ids) > 0:
		return "set once the objects it refers to are in the target"
	case a.target.reference && a.target.multiValued:
		return "refers to nothing: references in the target are removed"
	case a.target.reference && d.NullFlow != ClearNull:
		return "left alone: the source has no value"
	case out.value == nil:
		return a.outcomeOfNull()
	case d.Apply == OnCreate:
		return "sent with a create only"
	case d.Apply == WhenEmpty:
		return "sent with a create, and with an update where the target has no value"
	case d.Apply == AddValues || a.program != nil && a.program.AddsOnly():
		return "sent with creates and updates; other values in the target stay"
	}
	return "sent with creates and updates"
}

func (a *attribute) outcomeOfNull() string {
	d := &a.definition
	create, update := "left out of a create", "left alone by an update"
	if a.fallback != nil {
		create = "a create sends the default " + strconv.Quote(d.Default)
	}
	if d.NullFlow == ClearNull && d.Apply == Always && a.kind != None {
		update = "cleared by an update"
	}
	why := "no value: "
	if a.kind == None {
		why = ""
	}
	return why + create + ", " + update
}

// display shows a value of the source.
func display(v any) string {
	value := expr.FromAny(v)
	switch value.Kind() {
	case expr.KindNull:
		return "null"
	case expr.KindString:
		return strconv.Quote(value.String())
	}
	if t, ok := value.Time(); ok {
		return dateTime(t)
	}
	return value.String()
}

// displayTarget shows a value of the target, where a boolean is JSON's.
func displayTarget(v any) string {
	if b, ok := v.(bool); ok {
		return strconv.FormatBool(b)
	}
	return display(v)
}

// String prints the explanation for a terminal: the scope, then a line or more for each attribute.
func (e Explanation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Mapping %s\n", e.Mapping)
	switch {
	case e.Scope.In:
		b.WriteString("In scope\n")
	case e.Scope.Hold:
		fmt.Fprintf(&b, "Out of scope, but not to be deprovisioned: %s\n", e.Scope.Reason)
	default:
		fmt.Fprintf(&b, "Out of scope: %s\n", e.Scope.Reason)
	}
	for _, c := range e.Conditions {
		mark := "no "
		if c.True {
			mark = "yes"
		}
		fmt.Fprintf(&b, "  %s %s: %s", mark, c.Filter, c.Text)
		if c.Value != "" {
			fmt.Fprintf(&b, "   (it is %s)", c.Value)
		}
		b.WriteByte('\n')
	}
	for _, s := range e.Steps {
		s.print(&b)
	}
	for _, m := range e.Result.Matching {
		fmt.Fprintf(&b, "Found in the target by %s\n", e.shown(m))
	}
	return b.String()
}

// shown prints a filter, unless its value must not be shown.
func (e *Explanation) shown(m Match) string {
	for _, name := range e.Result.Redacted {
		if name == m.Attribute {
			return m.Attribute + " eq " + redacted
		}
	}
	return m.Filter().String()
}

func (s *Step) print(b *strings.Builder) {
	fmt.Fprintf(b, "%s", s.Target)
	if s.Value != nil {
		fmt.Fprintf(b, " = %s", displayTarget(s.Value))
	}
	fmt.Fprintf(b, "\n  %s", s.Kind)
	if s.From != "" {
		fmt.Fprintf(b, " %s", strings.Join(strings.Fields(s.From), " "))
	}
	b.WriteByte('\n')
	for _, in := range s.Inputs {
		fmt.Fprintf(b, "  [%s] is %s\n", in.Name, in.Value)
	}
	fmt.Fprintf(b, "  %s\n", s.Outcome)
	if s.Err == nil {
		return
	}
	fmt.Fprintf(b, "  error: %v\n", s.Err)
	var e *expr.Error
	if errors.As(s.Err, &e) {
		for line := range strings.Lines(e.Snippet()) {
			fmt.Fprintf(b, "    %s", line)
		}
		b.WriteByte('\n')
	}
}
