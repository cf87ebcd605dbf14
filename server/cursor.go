package server

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/scimbridge/scim"
)

// cursor is where a page begins (RFC 9865). It is sent to the client and comes back from it: it holds nothing that the client could
// not learn by asking, but for what a store has in [Page.Next], and is read as cautiously as any input.
type cursor struct {
	// Type is the index of the resource type.
	Type int `json:"r,omitzero"`
	// After is [Page.Next] of the page before, empty for the type's first page.
	After string `json:"a,omitzero"`
	// Merge is where each type goes on when the resources of several are ordered; then Type and After are not used.
	Merge []mergePosition `json:"m,omitempty"`
	// Digest is of what the client asked for.
	Digest string `json:"d"`
	// Issued is in Unix seconds.
	Issued int64 `json:"t"`
}

// maxCursor is how long a cursor may be. It holds the value that the last resource of the page is ordered by, of any length.
const maxCursor = 1 << 20

// digest returns a digest of what is asked for, and where, less where the page begins and how long it is.
func (sr searchRequest) digest(to route) string {
	if sr.cursor == nil {
		return ""
	}
	endpoint := "" // the root
	if to.typ != nil {
		endpoint = to.typ.segment
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{endpoint, sr.filter, sr.sortBy, strings.ToLower(sr.sortOrder)}, "\x00")))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

func (c *call) sealCursor(position cursor) string {
	position.Issued = c.s.opts.Now().Unix()
	data, err := json.Marshal(position)
	if err != nil { // only a position that is not UTF-8
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func (c *call) openCursor(text, digest string) (cursor, error) {
	var position cursor
	if text == "" {
		return position, nil
	}
	if len(text) > maxCursor {
		return position, invalidCursor()
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return position, invalidCursor()
	}
	if err := json.Unmarshal(data, &position); err != nil || position.Type < 0 || position.Digest != digest {
		return position, invalidCursor()
	}
	if age := c.s.opts.Now().Sub(time.Unix(position.Issued, 0)); age > c.s.opts.Limits.CursorTimeout {
		return position, badRequest(scim.ExpiredCursor, "the cursor has expired")
	}
	return position, nil
}

func invalidCursor() error {
	return badRequest(scim.InvalidCursor, "the cursor is not one of this query")
}
