package server

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"maps"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// passwordName is the attribute that [Options.HashPasswords] is about (RFC 7643 section 4.1.1).
const passwordName = "password"

// The cost of a hash: what OWASP and RFC 9106 recommend where memory is scarce. It takes some 20 ms.
const (
	hashTime    = 2
	hashMemory  = 19 << 10 // KiB
	hashThreads = 1
	hashSalt    = 16
	hashLength  = 32
)

// passwordHash is a hash with all that it was made with.
type passwordHash struct {
	time, memory uint32
	threads      uint8
	salt, key    []byte
}

var hashEncoding = base64.RawStdEncoding.Strict()

// String returns the hash as PHC strings have it.
func (h passwordHash) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads,
		hashEncoding.EncodeToString(h.salt), hashEncoding.EncodeToString(h.key))
}

func (h passwordHash) of(password string) []byte {
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, uint32(len(h.key)))
}

func hashPassword(password string) string {
	h := passwordHash{time: hashTime, memory: hashMemory, threads: hashThreads, salt: make([]byte, hashSalt), key: make([]byte, hashLength)}
	_, _ = rand.Read(h.salt) // never fails, see its documentation
	h.key = h.of(password)
	return h.String()
}

// parseHash reads a hash. It returns false when the text is none that this package, in any version, makes.
func parseHash(text string) (h passwordHash, ok bool) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return h, false
	}
	var saltErr, keyErr error
	h.salt, saltErr = hashEncoding.DecodeString(parts[4])
	h.key, keyErr = hashEncoding.DecodeString(parts[5])
	sane := h.memory <= 1<<20 && 0 < h.time && h.time <= 16 && 0 < h.threads && len(h.salt) >= 8 && 16 <= len(h.key) && len(h.key) <= 64
	return h, saltErr == nil && keyErr == nil && sane && h.String() == text
}

// VerifyPassword reports whether hash, the attribute password of a document that a server with [Options.HashPasswords] has stored, is that of
// the password. It takes the time and memory of making a hash: bound how many calls run at once.
func VerifyPassword(hash, password string) bool {
	h, ok := parseHash(hash)
	return ok && subtle.ConstantTimeCompare(h.of(password), h.key) == 1
}

// hasher makes hashes, a few at a time: each takes much memory.
type hasher struct{ turn chan struct{} }

func newHasher() *hasher { return &hasher{turn: make(chan struct{}, runtime.GOMAXPROCS(0))} }

// protect returns doc with the hash of its password in its place. One that is the hash in old, which is nil for a new resource, is left:
// nobody has changed it. doc itself is not changed.
func (h *hasher) protect(ctx context.Context, rt *resourceType, old, doc scim.Document) (scim.Document, error) {
	password, ok := doc[passwordName].(string)
	if h == nil || !ok || !rt.hashes {
		return doc, nil
	}
	if _, hashed := parseHash(password); hashed && old != nil && old[passwordName] == password {
		return doc, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case h.turn <- struct{}{}:
	}
	defer func() { <-h.turn }()
	doc = maps.Clone(doc)
	doc[passwordName] = hashPassword(password)
	return doc, nil
}

// withoutPasswords returns a change as the hook After gets it: without the operations that have, or may have, a password which was stored as a
// hash.
func (h *hasher) withoutPasswords(rt *resourceType, c Change, sensitive bool) Change {
	if h != nil && rt.hashes && (sensitive || mentions(c.Operations, passwordName)) {
		c.Operations = nil
	}
	return c
}

// hasPassword reports whether resources of a schema have a password that is never shown.
func hasPassword(s *schema.Schema) bool {
	a, ok := s.Lookup(passwordName)
	return ok && a.Type == schema.String && !a.MultiValued && a.Sensitive()
}
