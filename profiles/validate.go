package profiles

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/scimbridge/scim/filter"
)

var (
	nameForm       = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	attributeTypes = []string{"string", "boolean", "decimal", "integer", "dateTime", "binary", "reference", "complex"}
	mutabilities   = []string{"", "readWrite", "readOnly", "writeOnly", "immutable"}
	operators      = []string{"eq", "ne", "co", "sw", "ew", "pr", "gt", "ge", "lt", "le"}
	operations     = []Operation{Create, Read, List, Replace, Update, Delete, Search}
	authentication = []string{"bearer", "header", "basic", "oauth2", "none"}
	quirks         = []Quirk{StringFilterBooleans, MembersNullAfterUpdate, MembersMustHaveJoined}
	errorBodies    = []ErrorBody{SCIMBody, NumericStatusBody, ProblemBody, JSONBody, TextBody}
	bases          = []Basis{Documented, Observed, Inferred}
)

// Validate reports everything in the profile that contradicts itself or that no code would understand. Each problem names the value
// concerned, as in resources/User/attributes/userName/filter. It returns nil for a sound profile.
func (p *Profile) Validate() error {
	v := &validation{}
	v.check(nameForm.MatchString(p.Name), "name", "%q: lower-case letters, digits and hyphens are needed", p.Name)
	v.check(len(p.Resources) > 0, "resources", "at least one is needed")
	seen := map[string]bool{}
	for i := range p.Resources {
		r := &p.Resources[i]
		at := "resources/" + r.Name
		v.check(r.Name != "", fmt.Sprintf("resources/%d/name", i), "is missing")
		v.check(!seen[strings.ToLower(r.Name)], at, "is there twice")
		seen[strings.ToLower(r.Name)] = true
		v.resource(at, r)
	}
	v.service(p)
	v.facts(p)
	return errors.Join(v.problems...)
}

type validation struct{ problems []error }

func (v *validation) check(ok bool, at, format string, args ...any) {
	if !ok {
		v.problems = append(v.problems, fmt.Errorf("profile: %s: "+format, append([]any{at}, args...)...))
	}
}

// service checks what is said of the service as a whole.
func (v *validation) service(p *Profile) {
	for _, b := range p.BaseURLs {
		v.check(isBaseURL(b.URL), "baseUrls/"+b.Name, "%q: an https URL is needed, or http of a loopback address", b.URL)
	}
	for _, a := range p.Authentication {
		v.check(slices.Contains(authentication, a.Type), "authentication", "%q is not one of %v", a.Type, authentication)
	}
	for _, l := range p.RateLimits {
		v.check(l.Requests > 0 && l.Seconds > 0, "rateLimits/"+l.Name, "requests and seconds must be positive")
	}
	for _, n := range []struct {
		at string
		n  int
	}{
		{"paging/maxCount", p.Paging.MaxCount},
		{"paging/defaultCount", p.Paging.DefaultCount},
		{"bulk/maxOperations", p.Bulk.MaxOperations},
		{"bulk/maxPayloadSize", p.Bulk.MaxPayloadSize},
		{"errors/retryAfterSeconds", p.Errors.RetryAfterSeconds},
	} {
		v.check(n.n >= 0, n.at, "%d: must not be negative", n.n)
	}
	for i, r := range p.Errors.Refusals {
		at := fmt.Sprintf("errors/refusals/%d", i)
		v.check(r.Status >= 400 && r.Status <= 599, at+"/status", "%d is no refusal: 400 to 599 is", r.Status)
		v.check(slices.Contains(errorBodies, r.Body), at+"/body", "%q is not one of %q", r.Body, errorBodies)
		v.check(r.When != "", at+"/when", "is missing")
	}
	for _, q := range p.Quirks {
		v.check(slices.Contains(quirks, q), "quirks", "%q is not one of %v", q, quirks)
	}
}

func isBaseURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil {
		return false
	}
	local := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && local
}

// facts checks that each fact is about something that the profile says.
func (v *validation) facts(p *Profile) {
	if len(p.Facts) == 0 {
		return
	}
	said, err := p.statements()
	v.check(err == nil, "facts", "%v", err)
	for _, path := range slices.Sorted(maps.Keys(p.Facts)) {
		f := p.Facts[path]
		v.check(slices.Contains(bases, f.Basis), "facts"+path, "basis %q is not one of %v", f.Basis, bases)
		if _, ok := said[path]; err == nil {
			v.check(ok, "facts", "%q is about nothing that the profile says", path)
		}
	}
}

func (v *validation) resource(at string, r *Resource) {
	v.check(strings.HasPrefix(r.Endpoint, "/"), at+"/endpoint", "%q must begin with a slash", r.Endpoint)
	v.check(len(r.Operations) > 0, at+"/operations", "at least one is needed")
	for _, o := range r.Operations {
		v.check(slices.Contains(operations, o), at+"/operations", "%q is not one of %v", o, operations)
	}
	v.check(r.FilterLogic == AllLogic || r.FilterLogic == AndOnly || r.FilterLogic == NoLogic, at+"/filterLogic",
		"%q: and, none, or nothing is needed", r.FilterLogic)
	v.check(r.MaxMembers >= 0, at+"/maxMembers", "%d: must not be negative", r.MaxMembers)
	v.check(r.Put == PutReplaces || r.Put == PutMerges, at+"/put", "%q: merge or none is needed", r.Put)
	v.check(r.Deprovision == Keep || r.Deprovision == Deactivate || r.Deprovision == DeleteObject, at+"/deprovision",
		"%q: deactivate, delete or none is needed", r.Deprovision)
	v.check(r.Deprovision != DeleteObject || r.Offers(Delete), at+"/deprovision", "delete is not among the operations")
	seen := map[string]bool{}
	for i := range r.Attributes {
		a := &r.Attributes[i]
		v.check(!seen[strings.ToLower(a.Path)], at+"/attributes/"+a.Path, "is there twice")
		seen[strings.ToLower(a.Path)] = true
		v.attribute(at+"/attributes/"+a.Path, a)
	}
	if len(r.Attributes) == 0 {
		return
	}
	if r.Deprovision == Deactivate {
		_, ok := r.Attribute("active")
		v.check(ok, at+"/deprovision", "deactivate needs an attribute active")
	}
	for _, path := range r.PatchAttributes {
		_, ok := r.Attribute(path)
		v.check(ok, at+"/patchAttributes", "%q is not among the attributes", path)
	}
}

func (v *validation) attribute(at string, a *Attribute) {
	_, err := filter.ParseAttr(a.Path)
	v.check(err == nil, at, "is not an attribute path")
	v.check(slices.Contains(attributeTypes, a.Type), at+"/type", "%q is not one of %v", a.Type, attributeTypes)
	v.check(slices.Contains(mutabilities, a.Mutability), at+"/mutability", "%q is not one of %v", a.Mutability, mutabilities)
	v.check(a.Format == "" || a.Format == Email, at+"/format", "%q: email or none is needed", a.Format)
	for _, o := range a.Filter {
		v.check(slices.Contains(operators, o), at+"/filter", "%q is not one of %v", o, operators)
	}
	v.check(!a.Required || a.Mutability != "readOnly", at, "is required and read-only at once")
}
