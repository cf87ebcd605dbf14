package sqlstore

import (
	"github.com/scimbridge/scim"
	"github.com/scimbridge/scim/schema"
)

// projectionVersion changes with what project returns.
const projectionVersion = 0

// project returns the document as filters and orders see it, for the column search; nil for none.
func project(*schema.Schema, scim.Document) (any, error) { return nil, nil }
