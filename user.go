package scim

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// User is the core user of RFC 7643 section 4.1 with the enterprise extension of section 4.3.
//
// A zero field is absent from the JSON. Where absent differs from the zero value the field is a pointer. Extra holds
// every attribute that has no field, other extensions by their URN included, so that nothing is lost when a user is read and
// written back; the same holds for the Extra of complex attributes.
type User struct {
	Schemas    []string `json:"schemas,omitempty"`
	ID         string   `json:"id,omitzero"`
	ExternalID string   `json:"externalId,omitzero"`
	// UserName is required and unique in a service, in any case (RFC 7643 section 4.1.1).
	UserName          string `json:"userName,omitzero"`
	Name              *Name  `json:"name,omitzero"`
	DisplayName       string `json:"displayName,omitzero"`
	NickName          string `json:"nickName,omitzero"`
	ProfileURL        string `json:"profileUrl,omitzero"`
	Title             string `json:"title,omitzero"`
	UserType          string `json:"userType,omitzero"`
	PreferredLanguage string `json:"preferredLanguage,omitzero"`
	Locale            string `json:"locale,omitzero"`
	Timezone          string `json:"timezone,omitzero"`
	// Active is false for a user who may not sign in. nil means that the resource does not say.
	Active *bool `json:"active,omitzero"`
	// Password is only ever written. Its value is left out of [User.String].
	Password         string       `json:"password,omitzero"`
	Emails           []MultiValue `json:"emails,omitempty"`
	PhoneNumbers     []MultiValue `json:"phoneNumbers,omitempty"`
	IMs              []MultiValue `json:"ims,omitempty"`
	Photos           []MultiValue `json:"photos,omitempty"`
	Addresses        []Address    `json:"addresses,omitempty"`
	Groups           []Reference  `json:"groups,omitempty"`
	Entitlements     []MultiValue `json:"entitlements,omitempty"`
	Roles            []MultiValue `json:"roles,omitempty"`
	X509Certificates []MultiValue `json:"x509Certificates,omitempty"`

	Enterprise *EnterpriseUser `json:"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User,omitzero"`
	Meta       *Meta           `json:"meta,omitzero"`
	Extra      map[string]any  `json:",embed"`
}

// Name is the components of a user's name.
type Name struct {
	Formatted       string `json:"formatted,omitzero"`
	FamilyName      string `json:"familyName,omitzero"`
	GivenName       string `json:"givenName,omitzero"`
	MiddleName      string `json:"middleName,omitzero"`
	HonorificPrefix string `json:"honorificPrefix,omitzero"`
	HonorificSuffix string `json:"honorificSuffix,omitzero"`

	Extra map[string]any `json:",embed"`
}

// MultiValue is an element of a multi-valued attribute such as emails or roles (RFC 7643 section 2.4).
type MultiValue struct {
	Value   string `json:"value,omitzero"`
	Display string `json:"display,omitzero"`
	Type    string `json:"type,omitzero"`
	// Primary is true for at most one element of an attribute.
	Primary bool `json:"primary,omitzero"`

	Extra map[string]any `json:",embed"`
}

// Address is a postal address (RFC 7643 section 4.1.2).
type Address struct {
	Formatted     string `json:"formatted,omitzero"`
	StreetAddress string `json:"streetAddress,omitzero"`
	Locality      string `json:"locality,omitzero"`
	Region        string `json:"region,omitzero"`
	PostalCode    string `json:"postalCode,omitzero"`
	Country       string `json:"country,omitzero"`
	Type          string `json:"type,omitzero"`
	Primary       bool   `json:"primary,omitzero"`

	Extra map[string]any `json:",embed"`
}

// Reference points from one resource to another: a member of a group, or a group of a user.
type Reference struct {
	// Value is the id of the resource pointed to.
	Value   string `json:"value,omitzero"`
	Ref     string `json:"$ref,omitzero"`
	Display string `json:"display,omitzero"`
	// Type is User or Group for a member, direct or indirect for a user's group.
	Type string `json:"type,omitzero"`

	Extra map[string]any `json:",embed"`
}

// EnterpriseUser is the enterprise extension of RFC 7643 section 4.3.
type EnterpriseUser struct {
	EmployeeNumber string   `json:"employeeNumber,omitzero"`
	CostCenter     string   `json:"costCenter,omitzero"`
	Organization   string   `json:"organization,omitzero"`
	Division       string   `json:"division,omitzero"`
	Department     string   `json:"department,omitzero"`
	Manager        *Manager `json:"manager,omitzero"`

	Extra map[string]any `json:",embed"`
}

// Manager is the user's manager.
type Manager struct {
	// Value is the id of the manager's user resource.
	Value       string `json:"value,omitzero"`
	Ref         string `json:"$ref,omitzero"`
	DisplayName string `json:"displayName,omitzero"`

	Extra map[string]any `json:",embed"`
}

// plainUser has User's fields without its methods, so that they do not call themselves.
type plainUser User

// MarshalJSON writes the user. When Schemas is empty, the core schema, and the enterprise extension where used, are
// filled in.
func (u User) MarshalJSON() ([]byte, error) {
	if len(u.Schemas) == 0 {
		u.Schemas = []string{UserSchema}
		if u.Enterprise != nil {
			u.Schemas = append(u.Schemas, EnterpriseUserSchema)
		}
	}
	return json.Marshal(plainUser(u), encodeOptions)
}

// UnmarshalJSON reads a user, attribute names in any case.
func (u *User) UnmarshalJSON(data []byte) error {
	var p plainUser
	if err := json.Unmarshal(data, &p, decodeOptions); err != nil {
		return err
	}
	*u = User(p)
	return nil
}

// String names the user, for logs. It never holds the password.
func (u User) String() string {
	return "User " + u.ID + " (" + u.UserName + ")"
}

// UnmarshalJSONFrom reads a user as [User.UnmarshalJSON] does, from a decoder, so that a list of users is read in one pass.
func (u *User) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*u = User{}
	return json.UnmarshalDecode(d, (*plainUser)(u), decodeOptions)
}
