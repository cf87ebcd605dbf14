package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The header fields of a signed webhook.
const (
	headerID        = "Webhook-Id"
	headerTimestamp = "Webhook-Timestamp"
	headerSignature = "Webhook-Signature"
)

// ErrSignature is wrapped by the errors of [Verify].
var ErrSignature = errors.New("notify: webhook: the signature is not good")

// tolerance is how far a receiver's clock may be from the sender's.
const tolerance = 5 * time.Minute

// Verify checks the signature of a webhook that was received. Nothing in the body is to be believed before. The time is the receiver's:
// a message that is more than five minutes away from it is refused, so that one overheard cannot be sent again later. Repetitions have the
// same id in the body.
func Verify(h http.Header, body []byte, secret string, now time.Time) error {
	k, err := key(secret)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(h.Get(headerTimestamp), 10, 64)
	if err != nil {
		return fmt.Errorf("%w: there is no time", ErrSignature)
	}
	if age := now.Sub(time.Unix(seconds, 0)); age > tolerance || age < -tolerance {
		return fmt.Errorf("%w: it is of %s", ErrSignature, time.Unix(seconds, 0).UTC().Format(time.RFC3339))
	}
	want := signature(k, h.Get(headerID), h.Get(headerTimestamp), body)
	// There can be several, while a secret is exchanged for another.
	for _, given := range strings.Fields(h.Get(headerSignature)) {
		if hmac.Equal([]byte(given), []byte(want)) {
			return nil
		}
	}
	return ErrSignature
}

func sign(h http.Header, secret, id string, now time.Time, body []byte) error {
	k, err := key(secret)
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(now.Unix(), 10)
	h.Set(headerID, id)
	h.Set(headerTimestamp, timestamp)
	h.Set(headerSignature, signature(k, id, timestamp, body))
	return nil
}

func signature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

const minSecret = 16

func key(secret string) ([]byte, error) {
	k := []byte(secret)
	if encoded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		var err error
		if k, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return nil, errors.New("notify: webhook: what follows whsec_ in the secret is not base64")
		}
	}
	if len(k) < minSecret {
		return nil, fmt.Errorf("notify: webhook: the secret has %d bytes, and %d are needed", len(k), minSecret)
	}
	return k, nil
}
