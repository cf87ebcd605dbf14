package sqlstore

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode/utf8"

	"github.com/scimbridge/scim/server"
)

// maxKey is how long, in bytes, a text may be that is a part of an index. PostgreSQL refuses more than 2,704 bytes for all parts.
const maxKey = 512

// plain reports whether a database can hold a text: PostgreSQL takes no NUL.
func plain(text string) bool { return utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 }

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

// termKey returns the part of a folded value that is in the index. Equal values have equal keys, and the key of a prefix is a
// prefix of the key.
func termKey(folded string) string {
	if i := strings.IndexByte(folded, 0); i >= 0 {
		folded = folded[:i]
	}
	const most = 200
	if len(folded) <= most {
		return folded
	}
	n := most
	for n > 0 && !utf8.RuneStart(folded[n]) {
		n--
	}
	return folded[:n]
}
