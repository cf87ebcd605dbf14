package sqlstore

import (
	"crypto/sha256"
	"encoding/hex"
	"unicode/utf8"

	"github.com/scimbridge/scim/server"
	"github.com/scimbridge/scim/server/internal/sqlquery"
)

// maxKey is how long, in bytes, a text may be that is a part of an index. PostgreSQL refuses more than 2,704 bytes for all parts.
const maxKey = 512

// plain reports whether a database can hold a text as it is.
func plain(text string) bool { return utf8.ValidString(text) && sqlquery.Escape(text) == text }

// possible reports whether there can be a resource with the key.
func possible(k server.Key) bool {
	for _, text := range [...]string{k.Tenant, k.Type, k.ID} {
		if len(text) > maxKey || !plain(text) {
			return false
		}
	}
	return true
}

// uniqueKey returns a text that stands for a unique value: the same for the same value only.
func uniqueKey(value string) string {
	if len(value) < maxKey && plain(value) {
		return "=" + value
	}
	sum := sha256.Sum256([]byte(value))
	return "#" + hex.EncodeToString(sum[:])
}
