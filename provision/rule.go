package provision

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/mapping"
	"github.com/scimbridge/scim/profiles"
)

// rule is an object mapping made ready for one target.
type rule struct {
	m *mapping.Mapping
	// source and target are the object types.
	source, target string
	// resource is what the profile says of the target type; nil when it says nothing.
	resource *profiles.Resource
	// fingerprint changes with the mapping and with what the policy says about reading.
	fingerprint [8]byte
	// matching are the places of the matching attributes, folded whether each is compared without regard to case.
	matching []location
	folded   map[string]bool
	// clears are the places that the mapping may clear.
	clears map[string]location
	// softDelete says that the mapping depends on IsSoftDeleted: objects can be disabled.
	softDelete bool
	// members is the path of the attribute that holds a group's members, empty when none is mapped.
	members string
	// uniques are the places of attributes whose values must not occur twice in the target.
	uniques map[string]location
	// flatten says that members of groups in a group become its own.
	flatten bool
	// refs says that the mapping has references.
	refs bool
	// disable is what switches any account off, as far as that is the same for all; empty when it is not known.
	disable scim.Document
}

// isSoftDeleted is the computed source attribute.
const isSoftDeleted = "IsSoftDeleted"

func newRule(m *mapping.Mapping, p *profiles.Profile, policy Policy) (*rule, error) {
	d := m.Definition()
	r := &rule{m: m, source: d.Source, target: d.Target, folded: map[string]bool{}, clears: map[string]location{}}
	r.resource, _ = p.Resource(d.Target)
	data, err := json.Marshal(&d, json.Deterministic(true))
	if err != nil {
		return nil, fmt.Errorf("provision: mapping %s: %w", m.Name(), err)
	}
	data = append(data, policy.enabledAttribute()...)
	if policy.FlattenGroups && r.isGroup() {
		data = append(data, "\x00flatten"...)
	}
	sum := sha256.Sum256(data)
	copy(r.fingerprint[:], sum[:])
	for _, path := range m.MatchingAttributes() {
		l, err := locate(path)
		if err != nil {
			return nil, fmt.Errorf("provision: mapping %s: %s: %w", m.Name(), path, err)
		}
		r.matching = append(r.matching, l)
		r.folded[path] = !r.caseExact(path)
	}
	for _, path := range m.TargetAttributes() {
		if l, err := locate(path); err == nil {
			r.clears[path] = l
		}
	}
	for _, a := range d.Attributes {
		if !strings.Contains(strings.ToLower(a.Expression), "selectuniquevalue") {
			continue
		}
		if r.uniques == nil {
			r.uniques = map[string]location{}
		}
		for _, path := range m.TargetAttributes() {
			if l, ok := r.clears[path]; ok && (strings.EqualFold(path, a.Target) || strings.HasSuffix(strings.ToLower(a.Target), ":"+strings.ToLower(path))) {
				r.uniques[path] = l
			}
		}
	}
	r.softDelete = slices.Contains(m.SourceAttributes(), isSoftDeleted)
	if !r.deprovisionsByDelete() {
		r.disable = disableOf(m, r.softDelete)
	}
	for _, path := range m.ReferenceAttributes() {
		r.refs = true
		if strings.EqualFold(path, "members") {
			r.members = path
			r.flatten = policy.FlattenGroups && r.isGroup()
		}
	}
	return r, nil
}

// disableOf finds out how a mapping switches an account off without knowing whose it is. One that says who is active, but not by IsSoftDeleted, has
// those who leave be inactive.
func disableOf(m *mapping.Mapping, softDelete bool) scim.Document {
	active := func(softDeleted bool) scim.Document {
		// Other attributes may well be in error.
		for _, s := range m.Explain(context.Background(), map[string]any{isSoftDeleted: softDeleted}, mapping.Env{}).Steps {
			if strings.EqualFold(s.Target, "active") && s.Err == nil {
				return scim.Document{"active": s.Value}
			}
		}
		return nil
	}
	if off := active(true); switchesOff(active(false), off) {
		return off
	}
	governs := slices.ContainsFunc(m.Definition().Attributes, func(a mapping.AttributeMapping) bool {
		return strings.EqualFold(a.Target, "active") && a.Apply != mapping.OnCreate && a.Apply != mapping.WhenEmpty
	})
	if softDelete || !governs {
		return nil
	}
	return scim.Document{"active": false}
}

// learnDisable has somebody be disabled as anybody is, if it is not known how he is: the mapping could not disable when he was mapped, or it says
// nothing of those who leave.
func (r *rule) learnDisable(rec *Record) {
	if (r.softDelete || rec.leaving()) && len(rec.Want.Disable) == 0 && rec.TargetID != "" {
		rec.Want.Disable = r.disable.Clone()
	}
}

func (r *rule) caseExact(path string) bool {
	if r.resource == nil {
		return false
	}
	a, ok := r.resource.Attribute(path)
	return ok && a.CaseExact
}

// missesCase reports whether a look-up by an attribute can miss a value that a create is then refused for.
func (r *rule) missesCase(path string) bool {
	if r.resource == nil {
		return false
	}
	a, ok := r.resource.Attribute(path)
	return ok && a.FilterCaseExact && !a.CaseExact
}

// offers reports whether the target offers an operation, as far as is known.
func (r *rule) offers(op profiles.Operation) bool {
	return r.resource == nil || len(r.resource.Operations) == 0 || r.resource.Offers(op)
}

// deprovisionsByDelete reports whether the target's way to end access is to delete.
func (r *rule) deprovisionsByDelete() bool {
	return r.resource != nil && r.resource.Deprovision == profiles.DeleteObject
}

// isGroup reports whether objects of this type are groups: they are deleted when they leave, as they cannot be disabled.
func (r *rule) isGroup() bool { return strings.EqualFold(r.target, "Group") }

// digest returns the fingerprint of an entry under this rule.
func (r *rule) digest(e Entry, assigned bool) Digest {
	h := sha256.New()
	h.Write(r.fingerprint[:])
	if assigned {
		h.Write([]byte{1})
	}
	if e.Deleted {
		h.Write([]byte{2})
	}
	w := digester{h: h}
	w.value(e.Attributes)
	var sum [sha256.Size]byte
	h.Sum(sum[:0])
	return Digest(sum[:len(Digest{})])
}

// digester writes values so that different ones differ: each with its kind, and texts with their length.
type digester struct {
	h   hash.Hash
	buf []byte
}

func (d *digester) head(kind byte, n uint64) {
	d.buf = binary.BigEndian.AppendUint64(append(d.buf[:0], kind), n)
	d.h.Write(d.buf)
}

func (d *digester) text(kind byte, s string) {
	d.head(kind, uint64(len(s)))
	d.buf = append(d.buf[:0], s...)
	d.h.Write(d.buf)
}

func (d *digester) value(v any) {
	switch v := v.(type) {
	case nil:
		d.head('0', 0)
	case string:
		d.text('s', v)
	case bool:
		if v {
			d.head('b', 1)
		} else {
			d.head('b', 0)
		}
	case int64:
		d.head('i', uint64(v))
	case float64:
		d.head('f', math.Float64bits(v))
	case time.Time:
		d.head('t', uint64(v.UnixNano()))
	case []any:
		d.head('l', uint64(len(v)))
		for _, e := range v {
			d.value(e)
		}
	case map[string]any:
		d.head('m', uint64(len(v)))
		for _, name := range sortedKeys(v) {
			d.text('k', name)
			d.value(v[name])
		}
	default:
		d.text('?', fmt.Sprint(v))
	}
}

// fingerprints names the mappings of a job all together, with what the policy says about who leaves and who is protected.
func fingerprints(rules []*rule, p *Policy) string {
	h := sha256.New()
	for _, r := range rules {
		h.Write(r.fingerprint[:])
	}
	_, _ = fmt.Fprintf(h, "%q %q %q %d %q", p.OutOfScope, p.Vanished, p.Deleted, p.DeleteAfter, p.Protected)
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// outcome is what mapping an entry gave.
type outcome struct {
	scope mapping.Scope
	soft  bool
	want  Want
	err   error
	// ignore leaves the object as it is in this cycle.
	ignore bool
}

// object returns an entry's attributes with the computed one, and whether the object is disabled. It returns an error when that cannot be said.
func (r *rule) object(e Entry, enabled string) (source map[string]any, soft bool, err error) {
	source = make(map[string]any, len(e.Attributes)+1)
	for name, v := range e.Attributes {
		source[name] = v
	}
	on, err := truth(enabled, source[enabled], true)
	off, declaredErr := truth(isSoftDeleted, source[isSoftDeleted], false)
	soft = !on || off
	source[isSoftDeleted] = soft
	return source, soft, cmp.Or(err, declaredErr)
}

// evaluate maps an entry. An entry out of scope is mapped too when it has to be disabled, to know how.
func (r *rule) evaluate(ctx context.Context, e Entry, assigned, linked bool, enabled string, env mapping.Env) outcome {
	source, soft, unclear := r.object(e, enabled)
	o := outcome{soft: soft}
	o.scope = r.m.InScope(source)
	if o.scope.In && !assigned {
		o.scope = mapping.Scope{Reason: "not assigned"}
	}
	if o.scope.Hold {
		o.ignore = true
		return o
	}
	if o.scope.In && unclear != nil {
		o.err = unclear
		return o
	}
	if o.scope.In && o.soft && !r.softDelete && r.deprovisionsByDelete() {
		// There is no way to disable it, so that it leaves.
		o.scope = mapping.Scope{Reason: "disabled in the source"}
	}
	// The members of a group out of scope are still those of a group above it.
	if !o.scope.In && !linked && !r.flatten {
		return o
	}
	if !o.scope.In {
		o.soft = true
		source[isSoftDeleted] = true
	}
	result, err := r.m.Map(ctx, source, env)
	if err != nil {
		o.err = err
		return o
	}
	switch {
	case result.IgnoreObject && !o.scope.In:
		// What it would be if it were in scope does not matter: it leaves, as it was known before.
		o.err = errIgnored
		return o
	case result.IgnoreObject:
		o.ignore = true
		return o
	}
	o.want = wantOf(result)
	if o.err = o.want.unreadable(); o.err != nil {
		return o
	}
	if r.softDelete {
		source[isSoftDeleted] = !o.soft
		other, err := r.m.Map(ctx, source, env)
		if err != nil {
			o.err = err
			return o
		}
		enabled, disabled := result.Update, other.Update
		if o.soft {
			enabled, disabled = disabled, enabled
		}
		o.want.Disable = difference(enabled, disabled)
	}
	return o
}

var errIgnored = errors.New("the mapping ignores the object")

func wantOf(result mapping.Result) Want {
	w := Want{
		Create: result.Create, Update: result.Update, WhenEmpty: result.WhenEmpty, Clear: result.Clear, Redacted: result.Redacted,
		Always: result.Always,
	}
	for _, m := range result.Matching {
		w.Match = append(w.Match, MatchValue{m.Attribute, m.Value})
	}
	for _, ref := range result.References {
		if w.Refs == nil {
			w.Refs = map[string][]string{}
		}
		ids := slices.Clone(ref.IDs)
		slices.Sort(ids)
		w.Refs[ref.Target] = slices.Compact(ids)
		if ref.OnCreate {
			w.OnceRefs = append(w.OnceRefs, ref.Target)
		}
	}
	return w
}

// unreadable reports text that is not UTF-8, which can neither be sent nor be kept.
func (w Want) unreadable() error {
	for _, doc := range []scim.Document{w.Create, w.Update, w.WhenEmpty} {
		for _, name := range sortedKeys(doc) {
			if !isText(doc[name]) {
				return fmt.Errorf("%s is not UTF-8", name)
			}
		}
	}
	for _, path := range sortedKeys(w.Refs) {
		if i := slices.IndexFunc(w.Refs[path], func(id string) bool { return !utf8.ValidString(id) }); i >= 0 {
			return fmt.Errorf("the id %q in %s is not UTF-8", w.Refs[path][i], path)
		}
	}
	return nil
}

// isText reports whether all texts in a value are UTF-8.
func isText(v any) bool {
	switch v := v.(type) {
	case string:
		return utf8.ValidString(v)
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !isText(e) })
	case map[string]any:
		for _, inner := range v {
			if !isText(inner) {
				return false
			}
		}
	}
	return true
}

// truth reads an attribute that is true or false. Sources write it as a boolean, as a number or as text. What is none of these is an error, and
// nobody is taken to be enabled or disabled for it.
func truth(name string, v any, otherwise bool) (bool, error) {
	switch v := v.(type) {
	case nil:
		return otherwise, nil
	case bool:
		return v, nil
	case int64:
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	case float64:
		if v == 0 || v == 1 {
			return v == 1, nil
		}
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "":
			return otherwise, nil
		case "true", "yes", "1":
			return true, nil
		case "false", "no", "0":
			return false, nil
		}
	}
	return otherwise, fmt.Errorf("%s is %q in the source, which is neither true nor false", name, fmt.Sprint(v))
}

// isEnabled reads the attribute that says whether an object is enabled.
func isEnabled(v any) bool {
	enabled, _ := truth("", v, true)
	return enabled
}

func isTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return strings.EqualFold(strings.TrimSpace(v), "true")
	}
	return false
}

// matchKey returns the form in which matching values are compared.
func (r *rule) matchKey(attribute string, value any) string {
	s := fmt.Sprint(value)
	if r.folded[attribute] {
		s = strings.ToLower(s)
	}
	return attribute + "\x00" + s
}

func (r *rule) matchKeys(w Want) []string {
	keys := make([]string, 0, len(w.Match))
	for _, m := range w.Match {
		keys = append(keys, r.matchKey(m.Attribute, m.Value))
	}
	return keys
}

// governed returns what the target should hold of the governed attributes, given what it holds.
func (r *rule) governed(sent scim.Document, w Want) scim.Document {
	after := r.m.Merge(sent, mapping.Result{Update: w.Update, WhenEmpty: w.WhenEmpty, Clear: w.Clear})
	r.keepCase(sent, after)
	return after
}

// resend takes attributes that are sent with each update out of what the target is known to hold.
func (r *rule) resend(before scim.Document, w Want) scim.Document {
	if len(w.Always) == 0 {
		return before
	}
	return r.m.Merge(before, mapping.Result{Clear: w.Always})
}

// keepCase leaves a matching value as the target has it when it differs in case alone and the target takes the two for the same:
// sending it would be refused, or send a person a message about nothing.
func (r *rule) keepCase(sent, after scim.Document) {
	for i, path := range r.m.MatchingAttributes() {
		if !r.folded[path] {
			continue
		}
		old, now := r.matching[i].values(sent), r.matching[i].values(after)
		if len(old) != 1 || len(now) != 1 {
			continue
		}
		a, ok1 := old[0].(string)
		b, ok2 := now[0].(string)
		if ok1 && ok2 && a != b && strings.EqualFold(a, b) {
			r.matching[i].set(after, a)
		}
	}
}

// shape returns a document with all governed attributes of an object, for [project].
func (r *rule) shape(w Want) scim.Document {
	s := merge(w.Update, w.WhenEmpty)
	if s == nil {
		s = scim.Document{}
	}
	for _, path := range w.Clear {
		l, ok := r.clears[path]
		if !ok || l.elements != nil || l.path.Attr.URN != "" {
			continue
		}
		name, sub := l.path.Attr.Name, l.path.Attr.Sub
		if _, has := s[name]; !has && sub == "" {
			s[name] = true
		} else if object, isObject := s[name].(map[string]any); isObject && sub != "" {
			object[sub] = true
		} else if !has {
			s[name] = map[string]any{sub: true}
		}
	}
	return s
}

// missing returns a required attribute that a create would lack, or "".
func (r *rule) missing(doc scim.Document) string {
	if r.resource == nil {
		return ""
	}
	for _, a := range r.resource.Attributes {
		if !a.Required || strings.EqualFold(a.Mutability, "readOnly") || strings.EqualFold(a.Path, "members") ||
			strings.EqualFold(a.Path, "schemas") || strings.EqualFold(a.Path, "id") {
			continue
		}
		l, err := locate(a.Path)
		if err != nil {
			continue
		}
		filled := slices.ContainsFunc(l.values(doc), func(v any) bool { return !empty(v) && v != "" })
		if !filled {
			return a.Path
		}
	}
	return ""
}
