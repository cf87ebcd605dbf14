package server

import (
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/scimbridge/scim"
)

// Options configure a [Server]. The zero value of each field but Authenticator is useful.
type Options struct {
	// ResourceTypes are the resources that there are; nil means [UserType] and [GroupType].
	ResourceTypes []ResourceType
	// Authenticator decides who is let in. It is required: [Anonymous] lets everybody in.
	Authenticator Authenticator

	// BaseURL is the service's URL as clients see it, such as https://example.com/scim/v2. Empty means that it is taken from each
	// request: the Host header, and the path in front of the endpoint.
	BaseURL string
	// TrustForwarded makes the headers Forwarded, X-Forwarded-Proto, X-Forwarded-Host and X-Forwarded-Prefix count when BaseURL
	// is empty. It is for servers that only a proxy can reach, one that sets or removes these headers.
	TrustForwarded bool
	// BasePath is the path in front of the endpoints, such as /scim/v2. It is needed only for queries of the root
	// (GET of BasePath itself), or when a part of the path is named like an endpoint: otherwise everything in front
	// of the first endpoint in a path is taken for it. A segment in braces, as in /{tenant}/scim, stands for any one. Requests
	// whose path is without it are served, too, as behind [net/http.StripPrefix].
	BasePath string

	Limits Limits
	Hooks  Hooks
	// Logger gets a line for every request at level Debug, for every failure of the store at Error, and for panics. Nil
	// discards them. Bodies, queries and credentials are never logged.
	Logger *slog.Logger

	// PatchReply is how a successful PATCH is answered.
	PatchReply PatchReply
	// MissingMembers lets groups have members that do not exist. Without it they are refused with 400 invalidValue.
	MissingMembers bool
	// IndirectGroups adds to the groups of a user those that its groups are members of, at any distance, with type
	// indirect.
	IndirectGroups bool
	// MemberDisplay returns the display of a group's member that was given none, from its document; nil takes displayName, the formatted name, or
	// userName, the first that is there. The document has what is never returned, such as the password.
	MemberDisplay func(member Key, doc scim.Document) string
	// HashPasswords stores a hash in the place of the attribute password, by argon2id with a salt: the password itself reaches
	// the hooks Before…, and no store. [VerifyPassword] checks one against the hash. A password that is stored as it is becomes a
	// hash at the next change of its resource. Each takes some 20 ms and 19 MiB; no more are made at once than there are processors.
	HashPasswords bool
	// Off turns features off, each of which is then not advertised, either.
	Off Features
	// ContentType is the type of all responses. Empty means application/scim+json, or application/json for clients whose Accept prefers it.
	ContentType string
	// DocumentationURI is shown in the ServiceProviderConfig.
	DocumentationURI string
	// AuthenticationSchemes are shown in the ServiceProviderConfig; nil means bearer tokens.
	AuthenticationSchemes []scim.AuthenticationScheme

	// Now is the clock, NewID makes the id of a new resource, and NewVersion a version, each unlike all before. Nil means
	// [time.Now], a UUID of version 7, and 80 random bits. They are called from many goroutines at once.
	Now        func() time.Time
	NewID      func() string
	NewVersion func() string
}

// Features is a set of optional parts of the protocol.
type Features uint8

// Features that can be turned off.
const (
	FeatureBulk Features = 1 << iota
	FeatureSort
	FeatureETag
	FeatureCursor
)

// PatchReply is how a successful PATCH is answered.
type PatchReply uint8

const (
	// PatchReplyAuto is 200 with the resource when it was changed, and 204 when nothing was. PATCHes of groups are
	// answered with 204, too, when the store is a MemberStore: their members are not loaded. With the parameter attributes it is always 200 (RFC 7644
	// section 3.5.2).
	PatchReplyAuto PatchReply = iota
	// PatchReplyBody is 200 with the resource always.
	PatchReplyBody
	// PatchReplyEmpty is 204 unless the request has the parameter attributes.
	PatchReplyEmpty
	// PatchReplySmall is as PatchReplyAuto, but a group that was changed is answered with 200, too, when it has no more than 100 members, as
	// a [MemberCounter] tells, or the request excludes them. It costs reading them, and suits clients that insist on a body.
	PatchReplySmall
)

// Limits bound what a request may cost. A zero field means its default.
type Limits struct {
	// MaxBody is how many bytes the body of a request may have: 8 MiB. MaxBulkBody is the same for bulk requests: 16 MiB.
	MaxBody, MaxBulkBody int64
	// MaxBulkOperations is how many operations a bulk request may have: 1,000.
	MaxBulkOperations int
	// MaxPatchOperations is how many operations a PATCH may have: 1,000.
	MaxPatchOperations int
	// MaxResults is how many resources a page holds at most: 1,000. DefaultResults is how many it holds when the client asks for no
	// number: 100.
	MaxResults, DefaultResults int
	// MaxFilterLength, in bytes, and MaxFilterDepth bound filters: 16 KiB and 32.
	MaxFilterLength, MaxFilterDepth int
	// CursorTimeout is how long a cursor is good for: an hour.
	CursorTimeout time.Duration
	// Timeout is how long a request may take, reading its body included: 60 seconds. Negative means for ever. A client may take as long
	// again to read a large response; for small ones [net/http.Server] has WriteTimeout, as it has ReadHeaderTimeout for what
	// comes before the handler.
	Timeout time.Duration
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.MaxBody, 8<<20)
	setDefault(&l.MaxBulkBody, 16<<20)
	setDefault(&l.MaxBulkOperations, 1000)
	setDefault(&l.MaxPatchOperations, 1000)
	setDefault(&l.MaxResults, 1000)
	setDefault(&l.DefaultResults, min(100, l.MaxResults))
	setDefault(&l.MaxFilterLength, 16<<10)
	setDefault(&l.MaxFilterDepth, 32)
	setDefault(&l.CursorTimeout, time.Hour)
	setDefault(&l.Timeout, time.Minute)
	return l
}

// check returns an error when a limit is one that nothing can keep to.
func (l Limits) check() error {
	least := min(l.MaxBody, l.MaxBulkBody, int64(l.CursorTimeout),
		int64(min(l.MaxBulkOperations, l.MaxPatchOperations, l.MaxResults, l.DefaultResults, l.MaxFilterLength, l.MaxFilterDepth)))
	switch {
	case least < 0:
		return errors.New("server: Limits: only Timeout may be negative")
	case l.DefaultResults > l.MaxResults:
		return fmt.Errorf("server: Limits: DefaultResults %d is above MaxResults %d", l.DefaultResults, l.MaxResults)
	}
	return nil
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (o Options) withDefaults() (Options, error) {
	if o.Authenticator == nil {
		return o, errors.New("server: no Authenticator; Anonymous lets everybody in")
	}
	if o.BaseURL != "" {
		u, err := url.Parse(o.BaseURL)
		if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
			return o, fmt.Errorf("server: BaseURL %q is not an absolute http URL without query", o.BaseURL)
		}
		o.BaseURL = strings.TrimRight(o.BaseURL, "/")
	}
	if o.BasePath != "" {
		o.BasePath = "/" + strings.Trim(o.BasePath, "/")
	}
	if o.ResourceTypes == nil {
		o.ResourceTypes = []ResourceType{UserType(), GroupType()}
	}
	if o.AuthenticationSchemes == nil {
		o.AuthenticationSchemes = []scim.AuthenticationScheme{{
			Type: "oauthbearertoken", Name: "OAuth Bearer Token", Description: "Authentication with a bearer token",
			SpecURI: "https://www.rfc-editor.org/info/rfc6750", Primary: true,
		}}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = newID
	}
	if o.NewVersion == nil {
		o.NewVersion = newVersion
	}
	o.Limits = o.Limits.withDefaults()
	return o, o.Limits.check()
}

// newID returns an id that grows with time, so that a database adds new resources at the end of its index.
func newID() string {
	id, err := uuid.NewV7()
	if err != nil {
		// Only a broken source of randomness fails, and crypto/rand ends the process for it.
		return rand.Text()
	}
	return id.String()
}

var versionEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)

func newVersion() string {
	var b [10]byte
	_, _ = rand.Read(b[:]) // never fails, see its documentation
	return versionEncoding.EncodeToString(b[:])
}
