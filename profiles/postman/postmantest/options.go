package postmantest

import (
	"context"
	"strings"
	"time"

	"github.com/scimbridge/scim/profiles"
	"github.com/scimbridge/scim/profiles/postman"
)

// DefaultKey is the SCIM API key that a simulator accepts unless told otherwise.
const DefaultKey = "simulated-scim-api-key"

// Options configure a [Simulator]. The zero value is a Postman team with unlimited seats, all of whose domains are verified, and a Super
// Admin's key, as far as documented; where the documentation is silent it does what was inferred, and [Switches] change that.
type Options struct {
	// Key is the SCIM API key that is let in: [DefaultKey] when empty.
	Key string
	// Now is the clock of rate limits and timestamps; nil is that of Clock, or else [time.Now].
	Now func() time.Time
	// Clock is a virtual clock, for Now and for the delays of faults.
	Clock *Clock
	// RateLimits replace those of the profile. An empty list that is not nil means that there are none.
	RateLimits []profiles.RateLimit

	// Accounts are the Postman accounts that people have already, by e-mail address. Whoever is not in it has none.
	Accounts map[string]Account
	// VerifiedDomains are the e-mail domains that the team has verified; nil means every one.
	VerifiedDomains []string
	// Seats is how many active users the team's plan allows, 0 for any number.
	Seats int
	// TeamAdminKey makes the key a Team Admin's instead of a Super Admin's.
	TeamAdminKey bool
	// SuperAdmins are the userNames of the team's Super Admins.
	SuperAdmins []string
	// Trouble makes the team or the key unusable.
	Trouble Trouble

	Switches Switches
}

// Account is the account that a person has before being provisioned.
type Account string

// Accounts.
const (
	// Standalone is an account that belongs to no team.
	Standalone Account = "standalone"
	// OtherTeam is an account that belongs to another team.
	OtherTeam Account = "otherTeam"
)

// Trouble is what can be wrong with a team or a key (rule 4).
type Trouble string

// Troubles.
const (
	// AdminLeft: the admin who made the key left the team. Everything is answered with 403.
	AdminLeft Trouble = "adminLeft"
	// TeamGone: the team no longer exists. Everything is answered with 400.
	TeamGone Trouble = "teamGone"
	// NotEnterprise: the team's plan has no SCIM. POST is answered with 400.
	NotEnterprise Trouble = "notEnterprise"
)

// Switches choose among behaviours where Postman's documentation is silent or contradicts itself. The zero value is the behaviour that was
// thought the likeliest. Each names the rule of the simulator that it changes.
type Switches struct {
	// RefuseBareKey refuses an Authorization header without Bearer in front of the key (rule 2).
	RefuseBareKey bool
	// NotFoundForBadMethods answers methods that a resource does not have with 404 and a body that is not SCIM, not with 501 (rule 6).
	NotFoundForBadMethods bool
	// SCIMContentType answers with application/scim+json (rule 7).
	SCIMContentType bool
	// NoRateHeaders leaves out every header about rate limits (rule 9).
	NoRateHeaders bool
	// ReactivateOnCreate answers a POST of a deactivated user by activating it, not with 409 (rule 15).
	ReactivateOnCreate bool
	// UserNameFixed refuses every change of userName, as Postman did until about 2024 (rule 21).
	UserNameFixed bool
	// StrictUserPatch takes only the two documented forms of PATCH of a user (rule 22).
	StrictUserPatch bool
	// KeepGroupsOnDeactivate leaves a deactivated user in its groups (rule 24).
	KeepGroupsOnDeactivate bool
	// ForbiddenForStrangers answers PUT and PATCH of someone who is not in the team with 403, not with 404 (rule 26).
	ForbiddenForStrangers bool
	// UnknownMemberStatus is the answer to a member that does not exist or has not joined: 404 when 0 (rule 27).
	UnknownMemberStatus int
	// EmailAsDisplay shows members by their e-mail, not their name (rule 28).
	EmailAsDisplay bool
	// MembersNullAfterRename answers a rename with members null (rule 29).
	MembersNullAfterRename bool
	// CascadeGroupDelete deactivates the members that are left without a group when one is deleted (rule 31).
	CascadeGroupDelete bool
	// ClampStartIndex takes a startIndex below 1 for 1, instead of answering with 400 (rule 33).
	ClampStartIndex bool
	// HonourExcludedMembers leaves members out when excludedAttributes says so (rule 36).
	HonourExcludedMembers bool
	// RequestedItemsPerPage says in itemsPerPage how many resources were asked for, not how many there are (rule 37).
	RequestedItemsPerPage bool
	// TextStatusIn429 writes the status of a 429 as a string, as in every other error, not as a number (rule 8).
	TextStatusIn429 bool
	// CurlyApostrophes writes the apostrophes of error texts the typographic way.
	CurlyApostrophes bool
}

func (o Options) withDefaults() Options {
	if o.Key == "" {
		o.Key = DefaultKey
	}
	if o.Now == nil && o.Clock != nil {
		o.Now = o.Clock.Now
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.RateLimits == nil {
		o.RateLimits = postman.Profile().RateLimits
	}
	return o
}

// wait holds a request back.
func (o *Options) wait(ctx context.Context, d time.Duration) error {
	if o.Clock != nil {
		return o.Clock.Sleep(ctx, d)
	}
	return sleep(ctx, d)
}

func (o *Options) verified(email string) bool {
	if o.VerifiedDomains == nil {
		return true
	}
	_, domain, _ := strings.Cut(email, "@")
	for _, d := range o.VerifiedDomains {
		if strings.EqualFold(d, domain) {
			return true
		}
	}
	return false
}

func (o *Options) superAdmin(userName string) bool {
	for _, a := range o.SuperAdmins {
		if strings.EqualFold(a, userName) {
			return true
		}
	}
	return false
}

func (o *Options) account(email string) Account {
	for address, a := range o.Accounts {
		if strings.EqualFold(address, email) {
			return a
		}
	}
	return ""
}
