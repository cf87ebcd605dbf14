package server

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"net/http"
	"strings"
)

// Authenticator decides who sends a request. It is called before anything of the request is looked at, from many
// goroutines at once.
type Authenticator interface {
	// Authenticate returns who sends r. [ErrUnauthenticated], or an error that wraps it, is answered with 401; a [*scim.Error] as it is;
	// any other error with 500. It must not read the body.
	Authenticate(r *http.Request) (Identity, error)
}

// AuthenticatorFunc is a function as an [Authenticator].
type AuthenticatorFunc func(r *http.Request) (Identity, error)

// Authenticate calls f.
func (f AuthenticatorFunc) Authenticate(r *http.Request) (Identity, error) { return f(r) }

// Identity is who sends a request.
type Identity struct {
	// Tenant is whose resources the request is about: it sees and changes no others. Empty is a tenant, too.
	Tenant string
	// Name says who it is, for the log.
	Name string
	// Me is the resource that /Me stands for: its Type, and its ID. Without ID there is no /Me.
	Me Key
}

// ErrUnauthenticated says that a request has no credentials, or wrong ones.
var ErrUnauthenticated = errors.New("authentication failed")

// Anonymous lets everybody in. It is for tests, and for servers behind something that has authenticated the request.
func Anonymous() Authenticator {
	return AuthenticatorFunc(func(*http.Request) (Identity, error) { return Identity{}, nil })
}

// BearerTokens lets in who sends one of the tokens (RFC 6750). Several are valid at once so that they can be exchanged without a
// gap. Empty tokens are never valid.
//
// Tokens are compared in a time that depends on their number only.
func BearerTokens(tokens ...string) Authenticator {
	t := make(TenantTokens, len(tokens))
	for _, token := range tokens {
		t[token] = Identity{}
	}
	return t.Authenticator()
}

// TenantTokens are bearer tokens and whom each lets in.
type TenantTokens map[string]Identity

// Authenticator returns an Authenticator for the tokens that are in t now. It keeps their hashes only.
func (t TenantTokens) Authenticator() Authenticator {
	var b bearer
	for token, identity := range t {
		if token != "" {
			b = append(b, credential{sha256.Sum256([]byte(token)), identity})
		}
	}
	return b
}

type credential struct {
	hash     [sha256.Size]byte
	identity Identity
}

type bearer []credential

func (b bearer) Authenticate(r *http.Request) (Identity, error) {
	token, ok := BearerToken(r)
	if !ok {
		return Identity{}, ErrUnauthenticated
	}
	// Hashes have one length, and all are compared: neither the length nor the position of a token shows in the time.
	hash := sha256.Sum256([]byte(token))
	found := -1
	for i := range b {
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(hash[:], b[i].hash[:]), i, found)
	}
	if found < 0 {
		return Identity{}, ErrUnauthenticated
	}
	return b[found].identity, nil
}

// BearerToken returns the token of the Authorization header, of which the scheme may be in any case.
func BearerToken(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !ok || token == "" || !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	return token, true
}
