package provision

import (
	"fmt"
	"slices"
	"strings"

	"github.com/scimbridge/scim"
)

// Adopt is what to do with target objects that were there before the job.
type Adopt string

// Adoption policies.
const (
	// AdoptMatching links a target object that matches and manages it from then on.
	AdoptMatching Adopt = ""
	// AdoptIfVerified does so only where the target says that the e-mail address, by which the object was found, was verified: see
	// [Policy.Verified]. Otherwise somebody who can make an account under another's address would be given that person's
	// memberships. What cannot be known is not verified. It is about users; groups, which have no address, are left alone.
	AdoptIfVerified Adopt = "ifVerified"
	// AdoptNever leaves it alone and reports EntryConflict.
	AdoptNever Adopt = "never"
)

// check reports a policy that does not exist or cannot work.
func (p *Policy) check() error {
	if p.Gone != GoneRecreate && p.Gone != GoneReport {
		return fmt.Errorf("provision: policy: gone %q is neither \"\" nor %q", p.Gone, GoneReport)
	}
	switch p.Adopt {
	case AdoptMatching, AdoptNever:
	case AdoptIfVerified:
		if p.Verified == "" {
			return nil
		}
		if _, err := locate(p.Verified); err != nil {
			return fmt.Errorf("provision: policy: verified: %w", err)
		}
	default:
		return fmt.Errorf("provision: policy: adopt %q is not one of \"\", %q and %q", p.Adopt, AdoptIfVerified, AdoptNever)
	}
	return nil
}

// refusal says why the policy does not allow to adopt a target object; it is empty when it does. The object as found is given, and as the
// job knows it.
func (c *cycle) refusal(rec *Record, precedence int, found, doc scim.Document) string {
	switch c.policy.Adopt {
	case AdoptNever:
		return "the policy does not allow to adopt it"
	case AdoptIfVerified:
		if why := c.unverified(rec, precedence, found); why != "" {
			return "the policy is to adopt verified accounts only: " + why
		}
	}
	if c.policy.MayAdopt != nil && !c.policy.MayAdopt(rec.SourceID, rec.Want.Create.Clone(), doc.Clone()) {
		return "the policy does not allow to adopt it"
	}
	return ""
}

// unverified says why the target's word for an e-mail address is missing, or is not enough.
func (c *cycle) unverified(rec *Record, precedence int, found scim.Document) string {
	if c.verified == nil {
		return "no attribute is known by which the target says so (Policy.Verified)"
	}
	var match MatchValue
	if precedence < len(rec.Want.Match) {
		match = rec.Want.Match[precedence]
	}
	if text, ok := match.Value.(string); !ok || strings.Count(text, "@") != 1 {
		return fmt.Sprintf("it was found by %s, whose value is no e-mail address", match.Attribute)
	}
	values := c.verified.values(found)
	switch {
	case len(values) == 0:
		return fmt.Sprintf("the target does not say whether its address is verified: it has no %s", c.policy.Verified)
	case slices.ContainsFunc(values, func(v any) bool { return !isTrue(v) }):
		return fmt.Sprintf("the target says in %s that its address is not verified", c.policy.Verified)
	}
	return ""
}

// adoption says what becomes of an object that is in the target already, for people.
func (p *Policy) adoption() string {
	switch {
	case p.Adopt == AdoptNever:
		return "one that is there already is left alone, and reported"
	case p.Adopt == AdoptIfVerified && p.Verified == "":
		return "one that is there already is left alone, and reported, because no attribute is known by which the target says that an address is verified"
	case p.Adopt == AdoptIfVerified:
		return fmt.Sprintf("one that is there already is adopted if the target says in %s that its e-mail address is verified", p.Verified)
	case p.MayAdopt != nil:
		return "one that is there already is adopted if the program allows it"
	}
	return "one that is there already is adopted"
}
