package schema

import (
	"encoding/base64"
	"strings"
)

// canonicalBase64 returns base64 in the standard alphabet with padding (RFC 4648 section 4). It takes the
// alphabet for URLs and missing padding (RFC 7643 section 2.3.6), and when tolerant also white space.
func canonicalBase64(s string, tolerant bool) (string, bool) {
	if tolerant && strings.ContainsAny(s, " \t\r\n") {
		s = strings.NewReplacer(" ", "", "\t", "", "\r", "", "\n", "").Replace(s)
	}
	if isCanonicalBase64(s) {
		return s, true
	}
	digits := strings.TrimRight(s, "=")
	if padding := len(s) - len(digits); padding > 2 || padding > 0 && len(s)%4 != 0 {
		return "", false
	}
	encoding := base64.RawStdEncoding
	if strings.ContainsAny(digits, "-_") {
		encoding = base64.RawURLEncoding
	}
	if strings.ContainsAny(digits, "\r\n") { // which the decoder would skip
		return "", false
	}
	data, err := encoding.DecodeString(digits)
	if err != nil {
		return "", false
	}
	return base64.StdEncoding.EncodeToString(data), true
}

// isCanonicalBase64 is a quick test for the usual case, without decoding.
func isCanonicalBase64(s string) bool {
	if len(s)%4 != 0 {
		return false
	}
	digits := strings.TrimRight(s, "=")
	for i := range len(digits) {
		if base64Digit(digits[i]) < 0 {
			return false
		}
	}
	// The last digit has bits that encode nothing. They must be zero for equal data to be equal text.
	switch len(s) - len(digits) {
	case 0:
		return true
	case 1:
		return base64Digit(digits[len(digits)-1])&3 == 0
	case 2:
		return base64Digit(digits[len(digits)-1])&15 == 0
	}
	return false
}

// base64Digit returns the value of a digit of the standard alphabet, or -1.
func base64Digit(c byte) int {
	switch {
	case 'A' <= c && c <= 'Z':
		return int(c - 'A')
	case 'a' <= c && c <= 'z':
		return int(c-'a') + 26
	case '0' <= c && c <= '9':
		return int(c-'0') + 52
	case c == '+':
		return 62
	case c == '/':
		return 63
	}
	return -1
}
