package server

import (
	"context"
	"net/http"

	"github.com/scimbridge/scim"
)

func (c *call) bulk(ctx context.Context) (reply, error) {
	return reply{}, scim.NewError(http.StatusNotImplemented, "", "this service has no bulk operations")
}
