package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode/utf8"
)

// PostgreSQL holds neither NUL nor invalid UTF-8, which ids and matching values of any source may have. They are written with an
// escape character that is in no text that people write, so that everything else is stored as it is.
const (
	escape     = '\x1a'
	escapeText = "\x1a"
)

func encode(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 && strings.IndexByte(text, escape) < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == 0 || r == escape || r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, "%s%02x", escapeText, text[i])
		} else {
			b.WriteString(text[i : i+n])
		}
		i += n
	}
	return b.String()
}

func decode(text string) string {
	i := strings.IndexByte(text, escape)
	if i < 0 {
		return text
	}
	var b strings.Builder
	for ; i >= 0; i = strings.IndexByte(text, escape) {
		b.WriteString(text[:i])
		if raw, err := hex.DecodeString(text[i+1 : min(i+3, len(text))]); err == nil {
			b.Write(raw)
		}
		text = text[min(i+3, len(text)):]
	}
	return b.String() + text
}

// maxIndexed is how long, in bytes, a text may be that is indexed. PostgreSQL refuses more than about 2,700 for all columns.
const maxIndexed = 1000

// short returns what stands for a text in an index, and all of it when that is not the same. Different texts have different ones.
func short(text string) (indexed string, long *string) {
	encoded := encode(text)
	if len(encoded) <= maxIndexed {
		return encoded, nil
	}
	sum := sha256.Sum256([]byte(encoded))
	// No encoded text has this after an escape character.
	return escapeText + "#" + hex.EncodeToString(sum[:]), &encoded
}

// full returns the text that short was given.
func full(indexed string, long *string) string {
	if long != nil {
		return decode(*long)
	}
	return decode(indexed)
}
