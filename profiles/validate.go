package profiles

import (
	"errors"
	"fmt"
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
	for _, l := range p.RateLimits {
		v.check(l.Requests > 0 && l.Seconds > 0, "rateLimits/"+l.Name, "requests and seconds must be positive")
	}
	for pointer, f := range p.Facts {
		v.check(f.Basis == Documented || f.Basis == Observed || f.Basis == Inferred, "facts/"+pointer,
			"basis %q: documented, observed or inferred is needed", f.Basis)
	}
	return errors.Join(v.problems...)
}

type validation struct{ problems []error }

func (v *validation) check(ok bool, at, format string, args ...any) {
	if !ok {
		v.problems = append(v.problems, fmt.Errorf("profile: %s: "+format, append([]any{at}, args...)...))
	}
}

func (v *validation) resource(at string, r *Resource) {
	v.check(strings.HasPrefix(r.Endpoint, "/"), at+"/endpoint", "%q must begin with a slash", r.Endpoint)
	v.check(len(r.Operations) > 0, at+"/operations", "at least one is needed")
	for _, o := range r.Operations {
		v.check(slices.Contains(operations, o), at+"/operations", "%q is not one of %v", o, operations)
	}
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
