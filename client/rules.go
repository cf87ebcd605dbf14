package client

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/filter"
	"github.com/scimbridge/scim/profiles"
)

// instead says what to do where a service does not offer an operation.
var instead = map[profiles.Operation]string{
	profiles.Create:  "these resources come into being by other means",
	profiles.Read:    "find it in a list instead",
	profiles.List:    "read single resources by their id instead",
	profiles.Replace: "use Update or Patch instead",
	profiles.Update:  "use Update, which sends a PUT here, or Replace instead",
	profiles.Delete:  "set active to false instead, where the resource has it",
	profiles.Search:  "use List instead",
}

// offers returns an error for an operation that the profile says the service does not offer, and for a resource type without endpoint.
func (r *Resources[T]) offers(op profiles.Operation) *scim.Error {
	k := &r.kind
	if k.missing {
		return notSent(http.StatusBadRequest, scim.InvalidValue, "",
			"the client knows no endpoint for resources of type %q; name one with client.For", k.name)
	}
	if k.known == nil || k.known.Offers(op) {
		return nil
	}
	return notSent(http.StatusNotImplemented, "", "", "%s does not offer %s of a %s; %s", serviceName(r.c.profile), op, k.name, instead[op])
}

func serviceName(p *profiles.Profile) string {
	if p.Title != "" {
		return p.Title
	}
	return p.Name
}

// attributes returns what the profile says of the attributes, nil when that is nothing.
func (k *kind) attributes() []profiles.Attribute {
	if k.known == nil {
		return nil
	}
	return k.known.Attributes
}

// checkCreate refuses a resource that lacks what the service requires, or that has a value it is known to refuse.
func (k *kind) checkCreate(doc scim.Document) *scim.Error {
	for _, a := range k.attributes() {
		if err := checkValue(&a, doc, true); err != nil {
			return err
		}
	}
	return k.checkMembers(doc)
}

// checkReplace is checkCreate for a PUT: what a service requires can be left out where it merges.
func (k *kind) checkReplace(doc scim.Document) *scim.Error {
	for _, a := range k.attributes() {
		if err := checkValue(&a, doc, k.known.Put != profiles.PutMerges); err != nil {
			return err
		}
	}
	return k.checkMembers(doc)
}

func checkValue(a *profiles.Attribute, doc scim.Document, whole bool) *scim.Error {
	path, err := filter.ParseAttr(a.Path)
	if err != nil || a.MultiValued {
		return nil
	}
	v, there := lookUp(doc, path)
	if text, ok := v.(string); ok && text == "" {
		there = false
	}
	switch {
	case !there && a.Required && whole && a.Mutability != "readOnly":
		return notSent(http.StatusBadRequest, scim.InvalidValue, a.Path, "%s is required by the service", a.Path)
	case there:
		return checkFormat(a, v)
	}
	return nil
}

func checkFormat(a *profiles.Attribute, v any) *scim.Error {
	if a.Format == profiles.Email && !isEmail(v) {
		return notSent(http.StatusBadRequest, scim.InvalidValue, a.Path, "%s must be an e-mail address for this service", a.Path)
	}
	return nil
}

// isEmail refuses only what no service takes for an address.
func isEmail(v any) bool {
	text, ok := v.(string)
	local, domain, at := strings.Cut(text, "@")
	return ok && at && local != "" && domain != "" && !strings.ContainsAny(text, " \t\r\n")
}

func (k *kind) checkMembers(doc scim.Document) *scim.Error {
	members, _ := member(doc, "members").([]any)
	if k.known != nil && k.known.MaxMembers > 0 && len(members) > k.known.MaxMembers {
		return notSent(http.StatusBadRequest, scim.InvalidValue, "members",
			"the service takes at most %d members in a group, this one has %d", k.known.MaxMembers, len(members))
	}
	return nil
}

// checkPatch refuses operations on attributes that only the service writes, and values that it is known to refuse.
func (k *kind) checkPatch(operations []scim.PatchOperation) *scim.Error {
	for i, op := range operations {
		err := k.checkFormats(op)
		for _, path := range targets(op) {
			if err == nil {
				err = k.checkTarget(path)
			}
		}
		if err != nil {
			err.Operation = i + 1
			return err
		}
	}
	return nil
}

// checkFormats refuses values that break a rule of the service. Paths with value filters are left to it.
func (k *kind) checkFormats(op scim.PatchOperation) *scim.Error {
	if strings.EqualFold(string(op.Op), string(scim.OpRemove)) {
		return nil
	}
	for _, a := range k.attributes() {
		v, there := op.Value, strings.EqualFold(op.Path, a.Path)
		if object, ok := op.Value.(map[string]any); ok && op.Path == "" {
			if path, err := filter.ParseAttr(a.Path); err == nil {
				v, there = lookUp(object, path)
			}
		}
		if text, ok := v.(string); !there || !ok || text == "" {
			continue
		}
		if err := checkFormat(&a, v); err != nil {
			return err
		}
	}
	return nil
}

func (k *kind) checkTarget(path string) *scim.Error {
	if k.known == nil {
		return nil
	}
	a, ok := k.known.Attribute(path)
	if ok && a.Mutability == "readOnly" {
		return notSent(http.StatusBadRequest, scim.Mutability, a.Path, "%s is written by the service only", a.Path)
	}
	return nil
}

// targets returns the attributes that an operation names, without value filters.
func targets(op scim.PatchOperation) []string {
	if op.Path != "" {
		p, err := filter.ParsePath(op.Path)
		if err != nil {
			return nil // the service may understand what this library does not
		}
		return []string{p.Target().String()}
	}
	object, _ := op.Value.(map[string]any)
	var names []string
	for name := range object {
		if name != "id" { // sent along by some dialects
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// checkQuery refuses what the service is known not to do, and returns the filter as the service wants it.
func (k *kind) checkQuery(q Query, p *profiles.Profile) (filter.Filter, *scim.Error) {
	if err := q.Filter.Err(); err != nil {
		e := notSent(http.StatusBadRequest, scim.InvalidFilter, "", "%v", err)
		e.Err = errors.Join(ErrNotSent, err)
		return q.Filter, e
	}
	if p == nil {
		return q.Filter, nil
	}
	if q.SortBy != "" && !p.Paging.SortBy {
		return q.Filter, notSent(http.StatusBadRequest, scim.InvalidValue, q.SortBy, "%s does not sort; sort what the list yields", serviceName(p))
	}
	if err := k.checkFilter(q.Filter); err != nil {
		return q.Filter, err
	}
	if err := k.checkLogic(q.Filter); err != nil {
		return q.Filter, err
	}
	if p.Has(profiles.StringFilterBooleans) {
		return quoteBooleans(q.Filter.Node()), nil
	}
	return q.Filter, nil
}

// checkFilter refuses comparisons that the service does not support.
func (k *kind) checkFilter(f filter.Filter) (refusal *scim.Error) {
	if len(k.attributes()) == 0 {
		return nil
	}
	var visit func(parent filter.Attr) func(filter.Node) bool
	check := func(parent, a filter.Attr, op string) {
		if parent.Name != "" {
			a = filter.Attr{URN: parent.URN, Name: parent.Name, Sub: a.Name}
		}
		if refusal == nil {
			refusal = k.checkComparison(a, op)
		}
	}
	visit = func(parent filter.Attr) func(filter.Node) bool {
		return func(n filter.Node) bool {
			switch n := n.(type) {
			case *filter.Compare:
				check(parent, n.Attr, n.Op.String())
			case *filter.Present:
				check(parent, n.Attr, "pr")
			}
			return refusal == nil
		}
	}
	f.Walk(func(n filter.Node) bool {
		if path, ok := n.(*filter.ValuePath); ok {
			walkNode(path.Term, visit(path.Attr))
			return false
		}
		return visit(filter.Attr{})(n)
	})
	return refusal
}

// checkLogic refuses to join comparisons in ways that the service does not support.
func (k *kind) checkLogic(f filter.Filter) (refusal *scim.Error) {
	if k.known == nil || k.known.FilterLogic == profiles.AllLogic {
		return nil
	}
	f.Walk(func(n filter.Node) bool {
		word := logicWord(n)
		if _, inside := n.(*filter.ValuePath); inside || refusal != nil {
			return false
		}
		if word == "" || word == "and" && k.known.FilterLogic == profiles.AndOnly {
			return true
		}
		refusal = notSent(http.StatusBadRequest, scim.InvalidFilter, "",
			"the service does not support %q in filters; filter by less, and choose from what is listed", word)
		return false
	})
	return refusal
}

// logicWord is what joins the terms of a node, if anything.
func logicWord(n filter.Node) string {
	switch n.(type) {
	case *filter.And:
		return "and"
	case *filter.Or:
		return "or"
	case *filter.Not:
		return "not"
	}
	return ""
}

// walkNode is Filter.Walk for a part of a filter.
func walkNode(n filter.Node, visit func(filter.Node) bool) {
	if !visit(n) {
		return
	}
	switch n := n.(type) {
	case *filter.And:
		for _, t := range n.Terms {
			walkNode(t, visit)
		}
	case *filter.Or:
		for _, t := range n.Terms {
			walkNode(t, visit)
		}
	case *filter.Not:
		walkNode(n.Term, visit)
	}
}

func (k *kind) checkComparison(a filter.Attr, op string) *scim.Error {
	known, ok := k.known.Attribute(a.String())
	if !ok && strings.EqualFold(a.URN, k.urn) {
		a.URN = ""
		known, ok = k.known.Attribute(a.String())
	}
	if ok && filterable(known, op) {
		return nil
	}
	var can []string
	for i := range k.known.Attributes {
		if f := k.known.Attributes[i].Filter; len(f) > 0 {
			can = append(can, k.known.Attributes[i].Path+" "+strings.Join(f, "/"))
		}
	}
	advice := "read the list and choose from it"
	if len(can) > 0 {
		advice = "it supports " + strings.Join(can, ", ") + "; for anything else, " + advice
	}
	return notSent(http.StatusBadRequest, scim.InvalidFilter, a.String(), "the service does not filter %s by %s %s; %s", k.name, a, op, advice)
}

func filterable(a *profiles.Attribute, op string) bool {
	for _, have := range a.Filter {
		if strings.EqualFold(have, op) {
			return true
		}
	}
	return false
}

// quoteBooleans returns a filter in which booleans are written as strings.
func quoteBooleans(n filter.Node) filter.Filter {
	switch n := n.(type) {
	case *filter.And:
		return joinQuoted(n.Terms, filter.Filter.And)
	case *filter.Or:
		return joinQuoted(n.Terms, filter.Filter.Or)
	case *filter.Not:
		return quoteBooleans(n.Term).Not()
	case *filter.ValuePath:
		return filter.Has(n.Attr.String(), quoteBooleans(n.Term))
	case *filter.Present:
		return filter.Pr(n.Attr.String())
	case *filter.Compare:
		return quoteBoolean(n)
	}
	return filter.Filter{}
}

func joinQuoted(terms []filter.Node, join func(filter.Filter, ...filter.Filter) filter.Filter) filter.Filter {
	var f filter.Filter
	for _, t := range terms {
		f = join(f, quoteBooleans(t))
	}
	return f
}

func quoteBoolean(n *filter.Compare) filter.Filter {
	value := n.Value.Any()
	switch value {
	case true:
		value = "true"
	case false:
		value = "false"
	}
	attr := n.Attr.String()
	text, _ := value.(string)
	switch n.Op {
	case filter.OpNe:
		return filter.Ne(attr, value)
	case filter.OpCo:
		return filter.Co(attr, text)
	case filter.OpSw:
		return filter.Sw(attr, text)
	case filter.OpEw:
		return filter.Ew(attr, text)
	case filter.OpGt:
		return filter.Gt(attr, value)
	case filter.OpGe:
		return filter.Ge(attr, value)
	case filter.OpLt:
		return filter.Lt(attr, value)
	case filter.OpLe:
		return filter.Le(attr, value)
	}
	return filter.Eq(attr, value)
}
