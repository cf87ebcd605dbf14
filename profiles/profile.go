package profiles

import (
	"strings"
	"time"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/patch"
)

// Profile describes one SCIM service. The zero value of a field always means what RFC 7644 says, or that there is no limit, so that a
// profile only holds what is particular to its service.
//
// A Profile is not changed by the packages that read it and may be shared between goroutines.
type Profile struct {
	// SchemaURL is the address of docs/profile.schema.json, by which editors help with writing a profile.
	SchemaURL string `json:"$schema,omitzero"`
	// Name identifies the profile: lower-case letters, digits and hyphens.
	Name        string `json:"name"`
	Title       string `json:"title,omitzero"`
	Description string `json:"description,omitzero"`
	// Client says that this describes not a service but an identity provider that calls services: the operations, filters and
	// dialect are then those that it uses.
	Client bool `json:"client,omitzero"`
	// BaseURLs are the service's known tenant URLs, the usual one first. Empty for services with a URL per customer.
	BaseURLs       []BaseURL              `json:"baseUrls,omitempty"`
	Authentication []AuthenticationScheme `json:"authentication,omitempty"`
	// Discovery says which of the discovery endpoints answer.
	Discovery Discovery  `json:"discovery,omitzero"`
	Resources []Resource `json:"resources"`
	Paging    Paging     `json:"paging,omitzero"`
	Bulk      Bulk       `json:"bulk,omitzero"`
	// ETag says that resources have versions, and that If-Match is obeyed (RFC 7644 section 3.14).
	ETag bool `json:"etag,omitzero"`
	// RateLimits are what the service lets one customer do. A request counts against every limit that its method is named by.
	RateLimits []RateLimit `json:"rateLimits,omitempty"`
	// RateLimitHeaders are the header fields in which the service may tell the state of its limits. The client understands them
	// whether or not they are here.
	RateLimitHeaders []string `json:"rateLimitHeaders,omitempty"`
	Errors           Errors   `json:"errors,omitzero"`
	// MediaType is what requests are sent as; empty for application/scim+json.
	MediaType string `json:"mediaType,omitzero"`
	// Quirks are named oddities that code asks for with [Profile.Has].
	Quirks []Quirk `json:"quirks,omitempty"`
	// Facts says where the statements of this profile come from. A key is the path of a value in the profile's JSON form, and
	// covers all below it that has no entry of its own: /paging, /resources/User/attributes/userName/filter. It is a JSON pointer
	// (RFC 6901) in which elements of lists go by their name, path, type or when, and texts by themselves, so that it holds when the list
	// is edited. The empty key covers everything. See [Profile.Fact].
	Facts map[string]Fact `json:"facts,omitempty"`
}

// BaseURL is one of a service's tenant URLs.
type BaseURL struct {
	// Name says whom it is for, such as a region.
	Name string `json:"name"`
	URL  string `json:"url"`
}

// AuthenticationScheme is a way in.
type AuthenticationScheme struct {
	// Type is bearer, header, basic, oauth2 or none.
	Type string `json:"type"`
	// Description says where an administrator finds the credential.
	Description string `json:"description,omitzero"`
}

// Discovery says which discovery endpoints the service has. The zero value is that all of RFC 7644 section 4 are there.
type Discovery struct {
	NoServiceProviderConfig bool `json:"noServiceProviderConfig,omitzero"`
	NoSchemas               bool `json:"noSchemas,omitzero"`
	NoResourceTypes         bool `json:"noResourceTypes,omitzero"`
	// ResourceTypesIsArray is set when GET /ResourceTypes answers with a bare JSON array.
	ResourceTypesIsArray bool `json:"resourceTypesIsArray,omitzero"`
}

// Resource describes one resource type of a service.
type Resource struct {
	// Name is the resource type's name: User, Group.
	Name string `json:"name"`
	// Endpoint is relative to the base URL: /Users.
	Endpoint string `json:"endpoint"`
	Schema   string `json:"schema"`
	// Operations are what the service offers.
	Operations []Operation `json:"operations"`
	// FilterLogic is how comparisons may be joined in a filter.
	FilterLogic FilterLogic `json:"filterLogic,omitzero"`
	// Attributes are all that the service keeps, by full path. Empty means that nothing is known, and any attribute is let
	// through.
	Attributes []Attribute `json:"attributes,omitempty"`
	// Patch is how PATCH operations are written for this resource type.
	Patch patch.Dialect `json:"patch,omitzero"`
	// Put says what PUT does with attributes that the request leaves out.
	Put PutSemantics `json:"put,omitzero"`
	// PatchAttributes are the only attributes that PATCH is known to change; others are changed by PUT. Empty means that PATCH
	// changes them all.
	PatchAttributes []string `json:"patchAttributes,omitempty"`
	// Deprovision is what ends an object's access.
	Deprovision Deprovision `json:"deprovision,omitzero"`
	// DeleteEffect says what DELETE does where it is offered, in words for a person; empty when it only deletes.
	DeleteEffect string `json:"deleteEffect,omitzero"`
	// MaxMembers is how many members a group may have, 0 for no limit.
	MaxMembers int `json:"maxMembers,omitzero"`
	// MembersOnCreate says whether a group may be created with its members.
	MembersOnCreate bool `json:"membersOnCreate,omitzero"`
	// NestedGroups says whether a group can be a member.
	NestedGroups bool `json:"nestedGroups,omitzero"`
}

// Operation is something that can be done with a resource type.
type Operation string

// Operations of a resource type.
const (
	Create  Operation = "create"  // POST
	Read    Operation = "read"    // GET by id
	List    Operation = "list"    // GET of the collection
	Replace Operation = "replace" // PUT
	Update  Operation = "update"  // PATCH
	Delete  Operation = "delete"  // DELETE
	Search  Operation = "search"  // POST to .search
)

// FilterLogic is how a service lets comparisons be joined in a filter.
type FilterLogic string

// Filter logics. The zero value is that of RFC 7644 section 3.4.2.2: and, or, not.
const (
	AllLogic FilterLogic = ""
	// AndOnly lets comparisons be joined with and alone.
	AndOnly FilterLogic = "and"
	// NoLogic lets a filter be a single comparison.
	NoLogic FilterLogic = "none"
)

// Attribute describes one attribute as the service treats it.
type Attribute struct {
	// Path is the full path: userName, name.givenName, members, or a URN-qualified one.
	Path string `json:"path"`
	// Type is one of string, boolean, decimal, integer, dateTime, binary, reference, complex.
	Type        string `json:"type"`
	MultiValued bool   `json:"multiValued,omitzero"`
	Required    bool   `json:"required,omitzero"`
	// Filter names the filter operators that the service accepts for it, such as eq. Empty means that it cannot be filtered on,
	// nor be a matching attribute.
	Filter []string `json:"filter,omitempty"`
	// Mutability is one of readWrite (also when empty), readOnly, writeOnly, immutable.
	Mutability string `json:"mutability,omitzero"`
	Format     Format `json:"format,omitzero"`
	// Unique says that no two resources may have the same value.
	Unique bool `json:"unique,omitzero"`
	// CaseExact says that filters and uniqueness tell upper case from lower.
	CaseExact bool `json:"caseExact,omitzero"`
	// FilterCaseExact says that only filters do: a look-up can miss a value that a create is then refused for.
	FilterCaseExact bool `json:"filterCaseExact,omitzero"`
	// Note is what an administrator should know, such as a condition for changing the value.
	Note string `json:"note,omitzero"`
}

// Format is a rule that values of an attribute follow.
type Format string

// Formats.
const (
	Email Format = "email"
)

// PutSemantics says what PUT does with attributes that the request leaves out.
type PutSemantics string

// PUT semantics. The zero value is that of RFC 7644 section 3.5.1.
const (
	PutReplaces PutSemantics = ""
	PutMerges   PutSemantics = "merge"
)

// Deprovision is what ends an object's access.
type Deprovision string

// Ways to deprovision.
const (
	// Deactivate sets active to false.
	Deactivate Deprovision = "deactivate"
	// DeleteObject sends DELETE.
	DeleteObject Deprovision = "delete"
	// Keep means that the service has no way.
	Keep Deprovision = ""
)

// Paging says how lists are read.
type Paging struct {
	// MaxCount is the largest page, 0 when unknown.
	MaxCount int `json:"maxCount,omitzero"`
	// DefaultCount is the page size when the request names none, 0 when unknown.
	DefaultCount int `json:"defaultCount,omitzero"`
	// TotalsUnreliable is set when totalResults and itemsPerPage cannot be trusted.
	TotalsUnreliable bool `json:"totalsUnreliable,omitzero"`
	// Cursor says that RFC 9865 cursors are offered.
	Cursor bool `json:"cursor,omitzero"`
	// NotFoundWhenEmpty is set when a filter that matches nothing is answered with 404.
	NotFoundWhenEmpty bool `json:"notFoundWhenEmpty,omitzero"`
	// SortBy says that sortBy and sortOrder are honoured.
	SortBy bool `json:"sortBy,omitzero"`
	// Projection says that attributes and excludedAttributes are honoured.
	Projection bool `json:"projection,omitzero"`
}

// Bulk says whether and how large bulk requests may be. The zero value is that there are none.
type Bulk struct {
	Supported      bool `json:"supported,omitzero"`
	MaxOperations  int  `json:"maxOperations,omitzero"`
	MaxPayloadSize int  `json:"maxPayloadSize,omitzero"`
}

// RateLimit is how many requests of some methods are let through in a time.
type RateLimit struct {
	// Name is for logs: read, write.
	Name string `json:"name"`
	// Methods are HTTP methods. Empty means all.
	Methods  []string `json:"methods,omitempty"`
	Requests int      `json:"requests"`
	// Seconds is the length of the window.
	Seconds int `json:"seconds"`
	// Per says whose requests are counted together, such as team or token; empty when it is not known.
	Per string `json:"per,omitzero"`
}

// Covers reports whether requests with the method count against the limit.
func (l RateLimit) Covers(method string) bool {
	if len(l.Methods) == 0 {
		return true
	}
	for _, m := range l.Methods {
		if strings.EqualFold(m, method) {
			return true
		}
	}
	return false
}

// Window returns the length of the window.
func (l RateLimit) Window() time.Duration { return time.Duration(l.Seconds) * time.Second }

// Errors says how the service words refusals.
type Errors struct {
	// HiddenTooManyRequests is a text that marks a 500 as being a 429.
	HiddenTooManyRequests string `json:"hiddenTooManyRequests,omitzero"`
	// ExhaustedQuota is a text that marks a 429 as one that waiting does not end: what the customer's plan allows is used up. Such a
	// request is not tried again.
	ExhaustedQuota string `json:"exhaustedQuota,omitzero"`
	// RetryAfterSeconds is how long to wait after a 429 that does not say; 0 leaves it to the caller.
	RetryAfterSeconds int `json:"retryAfterSeconds,omitzero"`
	// Refusals are the answers that are known, for people who read an error and for simulators. The client decodes what comes,
	// whether it is here or not.
	Refusals []Refusal `json:"refusals,omitempty"`
}

// Refusal is one way in which a service says no.
type Refusal struct {
	Status int `json:"status"`
	// Type is the error's scimType, empty when the service gives none.
	Type scim.ErrorType `json:"scimType,omitzero"`
	Body ErrorBody      `json:"body,omitzero"`
	// When says in words what is answered so.
	When string `json:"when"`
}

// ErrorBody is the form of the body of a refusal.
type ErrorBody string

// Forms of error bodies. The zero value is that of RFC 7644 section 3.12.
const (
	SCIMBody ErrorBody = ""
	// NumericStatusBody is a SCIM error whose status is a number instead of a string.
	NumericStatusBody ErrorBody = "numericStatus"
	// ProblemBody is application/problem+json (RFC 9457).
	ProblemBody ErrorBody = "problem"
	// JSONBody is JSON of the service's own.
	JSONBody ErrorBody = "json"
	// TextBody is a page or another text.
	TextBody ErrorBody = "text"
)

// Quirk is a named oddity.
type Quirk string

// Quirks. A profile with another one is not valid, because no code would mind it.
const (
	// StringFilterBooleans: boolean values in filters are quoted, as in active eq "false".
	StringFilterBooleans Quirk = "stringFilterBooleans"
	// MembersNullAfterUpdate: the answer to a rename of a group holds members as null.
	MembersNullAfterUpdate Quirk = "membersNullAfterUpdate"
	// MembersMustHaveJoined: users can be members of a group only once they have accepted an invitation.
	MembersMustHaveJoined Quirk = "membersMustHaveJoined"
)

// Fact says where a statement comes from.
type Fact struct {
	// Basis is documented, observed or inferred.
	Basis Basis `json:"basis"`
	// Source names the document, best by its address, or what was done to observe it.
	Source string `json:"source,omitzero"`
	Note   string `json:"note,omitzero"`
}

// Basis is how sure a statement is.
type Basis string

// Bases, the surest first.
const (
	Documented Basis = "documented"
	Observed   Basis = "observed"
	Inferred   Basis = "inferred"
)

// Resource returns the description of a resource type by its name, in any case.
func (p *Profile) Resource(name string) (*Resource, bool) {
	if p == nil {
		return nil, false
	}
	for i := range p.Resources {
		if strings.EqualFold(p.Resources[i].Name, name) {
			return &p.Resources[i], true
		}
	}
	return nil, false
}

// Has reports whether the service has an oddity.
func (p *Profile) Has(q Quirk) bool {
	if p == nil {
		return false
	}
	for _, have := range p.Quirks {
		if have == q {
			return true
		}
	}
	return false
}

// Offers reports whether an operation is offered.
func (r *Resource) Offers(o Operation) bool {
	for _, have := range r.Operations {
		if have == o {
			return true
		}
	}
	return false
}

// Attribute returns the description of an attribute by its path, in any case.
func (r *Resource) Attribute(path string) (*Attribute, bool) {
	for i := range r.Attributes {
		if strings.EqualFold(r.Attributes[i].Path, path) {
			return &r.Attributes[i], true
		}
	}
	return nil, false
}
