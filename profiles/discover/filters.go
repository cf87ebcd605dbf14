package discover

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
)

// verdict is what came of a filter.
type verdict int

const (
	refused verdict = iota
	ignored         // resources came that it does not match
	accepted
)

// ask sends a filter. none says that nothing can match it.
func (p *probe) ask(ctx context.Context, s *subject, text string, none bool) (verdict, answer, error) {
	a, err := p.get(ctx, s.Endpoint, url.Values{"filter": {text}, "startIndex": {"1"}, "count": {"2"}})
	if err != nil {
		return refused, a, err
	}
	l, ok := a.list()
	switch {
	case a.status == http.StatusNotFound && (none || s.emptyNotFound):
		s.emptyNotFound = true
		return accepted, a, nil
	case !ok:
		return refused, a, nil
	case none && (len(l.Resources) > 0 || total(l) > 0):
		return ignored, a, nil
	}
	return accepted, a, nil
}

// key is the attribute that resources are told apart by: the first of the usual ones that filters work on.
func (s *subject) key() *profiles.Attribute {
	for _, name := range []string{"userName", "displayName", "externalId", "id"} {
		if a, ok := s.Attribute(name); ok && len(a.Filter) > 0 {
			return a
		}
	}
	return nil
}

// tryFilters sends one filter for each attribute, and one for each operator.
func (p *probe) tryFilters(ctx context.Context, s *subject) error {
	var refusals []string
	var ignoring []string
	var refusal answer
	for i := range s.Attributes {
		a := &s.Attributes[i]
		if a.Type == "complex" || a.Mutability == "writeOnly" || s.neverReturned(a.Path) {
			continue
		}
		p.step("filtering %s by %s", s.Endpoint, a.Path)
		v, answered, err := p.tryEq(ctx, s, a)
		if err != nil {
			return err
		}
		switch v {
		case accepted:
			a.Filter = []string{"eq"}
			p.fact(attributePath(s.Name, a.Path)+"/filter", profiles.Observed, "a filter on it with a value that nothing has", p.emptyNote(s))
		case ignored:
			ignoring = append(ignoring, a.Path)
		default:
			refusals, refusal = append(refusals, a.Path), answered
		}
	}
	if len(ignoring) > 0 {
		p.find("Filters of %s on these are ignored, and everything is listed: %s.", s.Endpoint, strings.Join(ignoring, ", "))
	}
	if len(refusals) > 0 {
		p.refused(refusal, "the filter of "+s.Endpoint+" is not supported, such as one on "+refusals[len(refusals)-1])
		if refusal.status >= http.StatusInternalServerError && refusal.status != http.StatusNotImplemented {
			p.find("A filter of %s that is not supported is answered with %d instead of 400 (RFC 7644 section 3.4.2.2).", s.Endpoint, refusal.status)
		}
	}
	if s.emptyNotFound && !p.profile.Paging.NotFoundWhenEmpty {
		p.profile.Paging.NotFoundWhenEmpty = true
		p.fact("/paging/notFoundWhenEmpty", profiles.Observed, "GET "+s.Endpoint+" with a filter that nothing matches", "")
		p.find("A filter that matches nothing is answered with 404 instead of an empty list (RFC 7644 section 3.4.2).")
	}
	if p.config != nil && p.config.Filter.Supported && s.key() == nil && len(s.Attributes) > 0 {
		p.find("It states that filters are supported, and none works for %s.", s.Endpoint)
	}
	if err := p.tryOperators(ctx, s); err != nil {
		return err
	}
	return nil
}

func (s *subject) neverReturned(path string) bool {
	return slices.ContainsFunc(s.defined, func(d definition) bool { return d.Path == path && d.returned == "never" })
}

// emptyNote is the reservation that filters of an empty list deserve.
func (p *probe) emptyNote(s *subject) string {
	if s.total > 0 {
		return ""
	}
	return "The service held none: a filter that it ignores would have looked the same."
}

// tryEq compares an attribute with a value that nothing has. Of a boolean there is none: both are tried.
func (p *probe) tryEq(ctx context.Context, s *subject, a *profiles.Attribute) (verdict, answer, error) {
	switch a.Type {
	case "boolean":
		return p.tryBoolean(ctx, s, a)
	case "integer", "decimal":
		return p.ask(ctx, s, filter.Eq(a.Path, -987654321).String(), true)
	case "dateTime":
		return p.ask(ctx, s, a.Path+` eq "1871-01-01T00:00:00Z"`, true)
	case "binary":
		return p.ask(ctx, s, a.Path+` eq "c2NpbWJyaWRnZS1wcm9iZQ=="`, true)
	}
	return p.ask(ctx, s, filter.Eq(a.Path, p.impossible()).String(), true)
}

// tryBoolean compares a boolean with both its values, as such and as texts.
func (p *probe) tryBoolean(ctx context.Context, s *subject, a *profiles.Attribute) (verdict, answer, error) {
	v, answered, err := p.tryBoth(ctx, s, filter.Eq(a.Path, true), filter.Eq(a.Path, false))
	if err != nil || v != refused {
		return v, answered, err
	}
	v, answered, err = p.tryBoth(ctx, s, filter.Eq(a.Path, "true"), filter.Eq(a.Path, "false"))
	if v == accepted && !p.profile.Has(profiles.StringFilterBooleans) {
		p.profile.Quirks = append(p.profile.Quirks, profiles.StringFilterBooleans)
		p.fact("/quirks/"+string(profiles.StringFilterBooleans), profiles.Observed, "filters on "+a.Path, "")
	}
	return v, answered, err
}

// tryBoth sends two filters that no resource can match together. When both give more than half of the resources, they are ignored.
func (p *probe) tryBoth(ctx context.Context, s *subject, yes, no filter.Filter) (verdict, answer, error) {
	found := 0
	var last answer
	for _, f := range []filter.Filter{yes, no} {
		v, a, err := p.ask(ctx, s, f.String(), false)
		if err != nil || v != accepted {
			return v, a, err
		}
		l, _ := a.list()
		found += max(total(l), len(l.Resources))
		last = a
	}
	if found > s.total {
		return ignored, last, nil
	}
	return accepted, last, nil
}

// impossible is a value that nothing has. It is an e-mail address, as some services take no other for a userName.
func (p *probe) impossible() string {
	return "scimbridge-probe-none-" + p.options.Suffix + "@" + p.options.Domain
}

// tryOperators tries the other operators on the key, and takes them for granted on the other attributes of its type.
func (p *probe) tryOperators(ctx context.Context, s *subject) error {
	key := s.key()
	if key == nil || key.Type != "string" {
		return nil
	}
	p.step("trying the filter operators of %s", s.Endpoint)
	found := []string{"eq"}
	for _, op := range []string{"ne", "co", "sw", "ew", "pr", "gt", "ge", "lt", "le"} {
		text := fmt.Sprintf("%s %s %q", key.Path, op, p.impossible())
		if op == "pr" {
			text = key.Path + " pr"
		}
		none := op == "co" || op == "sw" || op == "ew"
		v, _, err := p.ask(ctx, s, text, none)
		if err != nil {
			return err
		}
		if v == accepted {
			found = append(found, op)
		}
	}
	key.Filter = found
	for i := range s.Attributes {
		a := &s.Attributes[i]
		if len(a.Filter) == 0 || a == key || len(found) == 1 {
			continue
		}
		a.Filter = suited(found, a.Type)
		p.fact(attributePath(s.Name, a.Path)+"/filter", profiles.Inferred, "the operators that work on "+key.Path, "")
		p.fact(attributePath(s.Name, a.Path)+"/filter/eq", profiles.Observed, "a filter on it with a value that nothing has", p.emptyNote(s))
	}
	return nil
}

// suited returns those of the operators that a type has (RFC 7644 section 3.4.2.2).
func suited(found []string, typ string) []string {
	fits := map[string][]string{
		"string": found, "boolean": {"eq", "ne", "pr"}, "binary": {"eq", "ne", "pr"}, "reference": {"eq", "ne", "co", "sw", "ew", "pr"},
		"dateTime": {"eq", "ne", "pr", "gt", "ge", "lt", "le"}, "integer": {"eq", "ne", "pr", "gt", "ge", "lt", "le"},
		"decimal": {"eq", "ne", "pr", "gt", "ge", "lt", "le"},
	}
	var out []string
	for _, op := range found {
		if slices.Contains(fits[typ], op) {
			out = append(out, op)
		}
	}
	return out
}

// tryCase looks somebody up in another case.
func (p *probe) tryCase(ctx context.Context, s *subject) error {
	key := s.key()
	if key == nil {
		return nil
	}
	for _, doc := range s.sample {
		value, _ := doc[key.Path].(string)
		other := strings.ToUpper(value)
		if other == value {
			other = strings.ToLower(value)
		}
		if other == value {
			continue
		}
		exact, err := p.hits(ctx, s, filter.Eq(key.Path, value))
		if err != nil || exact != 1 {
			return err
		}
		loose, err := p.hits(ctx, s, filter.Eq(key.Path, other))
		if err != nil {
			return err
		}
		p.caseOf(s, key, loose == 0)
		return nil
	}
	return nil
}

// hits returns how many resources a filter gives, at most 2.
func (p *probe) hits(ctx context.Context, s *subject, f filter.Filter) (int, error) {
	_, a, err := p.ask(ctx, s, f.String(), false)
	l, _ := a.list()
	return len(l.Resources), err
}

func (p *probe) caseOf(s *subject, key *profiles.Attribute, exact bool) {
	if key.CaseExact != exact {
		p.find("Filters of %s on %s tell upper case from lower: %t; %s says %t.",
			s.Endpoint, key.Path, exact, map[bool]string{true: "the schema", false: "RFC 7643"}[s.stated], key.CaseExact)
	}
	at := attributePath(s.Name, key.Path)
	const source = "a look-up in another case"
	switch {
	case exact && !key.CaseExact:
		key.FilterCaseExact = true
		p.fact(at+"/filterCaseExact", profiles.Observed, source, "")
	case exact:
		p.fact(at+"/caseExact", profiles.Observed, source, "")
	default:
		key.CaseExact = false
	}
}

// tryLogic joins comparisons.
func (p *probe) tryLogic(ctx context.Context, s *subject) error {
	key := s.key()
	if key == nil {
		return nil
	}
	one := filter.Eq(key.Path, p.impossible())
	works := map[string]bool{}
	for word, f := range map[string]filter.Filter{"and": one.And(one), "or": one.Or(one), "not": one.Not()} {
		v, _, err := p.ask(ctx, s, f.String(), word != "not")
		if err != nil {
			return err
		}
		works[word] = v == accepted
	}
	at, source := resourcePath(s.Name)+"/filterLogic", "filters with and, or, not"
	switch {
	case works["and"] && works["or"] && works["not"]:
		return nil
	case works["and"]:
		s.FilterLogic = profiles.AndOnly
	default:
		s.FilterLogic = profiles.NoLogic
	}
	note := ""
	if works["or"] || works["not"] {
		note = fmt.Sprintf("or works: %t, not works: %t", works["or"], works["not"])
	}
	p.fact(at, profiles.Observed, source, note)
	return nil
}
