package postmantest

import (
	"encoding/json"
	"net/http"

	"github.com/scimbridge/scim"
)

// writeError answers with a SCIM error as Postman words it: status as a string, no scimType but where documented.
func writeError(w http.ResponseWriter, e *scim.Error) {
	body, err := json.Marshal(e)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	writeBody(w, e.Status, body)
}

// writeTooManyRequests answers with status as a number, as the documentation shows for this error alone (rule 8).
func writeTooManyRequests(w http.ResponseWriter, detail string) {
	body, _ := json.Marshal(map[string]any{
		"schemas": []string{scim.ErrorSchema}, "detail": detail, "status": http.StatusTooManyRequests,
	})
	writeBody(w, http.StatusTooManyRequests, body)
}

// writeNotFoundPage answers as the platform does for what its SCIM service has no route for (rule 6).
func writeNotFoundPage(w http.ResponseWriter) {
	writeBody(w, http.StatusNotFound,
		[]byte(`{"error":{"name":"NotFound","message":"The requested resource was not found."},"status":"error"}`))
}

// writePlatformUnauthorized answers as the platform does for a bad key where SCIM's own error is not documented (rule 3).
func writePlatformUnauthorized(w http.ResponseWriter) {
	writeBody(w, http.StatusUnauthorized,
		[]byte(`{"error":{"name":"AuthenticationError","message":"Invalid API key."}}`))
}

// writeQuotaExhausted answers as the platform does when the plan's quota is used up. Only the error's name is documented.
func writeQuotaExhausted(w http.ResponseWriter) {
	writeBody(w, http.StatusTooManyRequests,
		[]byte(`{"error":{"name":"serviceLimitExhausted","message":"The team has used up what its plan allows."}}`))
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has gone away is not the simulator's concern.
	_, _ = w.Write(body)
}

// refuse returns an error without scimType, as Postman answers where none is documented.
func refuse(status int, detail string) *scim.Error { return scim.NewError(status, "", detail) }
