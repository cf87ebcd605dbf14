package elimity

import (
	"errors"
	"net/http"

	elimity "github.com/elimity-com/scim/errors"

	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/server"
)

// scimError returns the library's error in a chain, which handlers return by value or by pointer.
func scimError(err error) (elimity.ScimError, bool) {
	if e, ok := errors.AsType[elimity.ScimError](err); ok {
		return e, true
	}
	if e, ok := errors.AsType[*elimity.ScimError](err); ok && e != nil {
		return *e, true
	}
	return elimity.ScimError{}, false
}

// convert returns a handler's error as the server understands it. An error that is not the library's, and one with status 500, of which the
// detail is often the text of some other error, reach the log only.
func convert(err error) error {
	if e, ok := errors.AsType[*elimity.ScimError](err); ok && e == nil {
		return errors.New("elimity: the handler returned a *ScimError that is nil")
	}
	e, ok := scimError(err)
	if !ok || e.Status < 400 || e.Status > 599 || e.Status == http.StatusInternalServerError {
		return err
	}
	answer := scim.NewError(e.Status, scim.ErrorType(e.ScimType), e.Detail)
	if e.Status == http.StatusNotFound {
		return errors.Join(server.ErrNotFound, answer)
	}
	return answer
}

// isNotOffered reports whether a handler says that it does not have a method.
func isNotOffered(err error) bool {
	if err == nil {
		return false
	}
	e, ok := scimError(err)
	return ok && (e.Status == http.StatusNotImplemented || e.Status == http.StatusMethodNotAllowed)
}
