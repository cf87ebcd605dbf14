package csv_test

import (
	"testing"

	"github.com/scimbridge/scim/provision/source/sourcetest"
)

func TestSourceContract(t *testing.T) {
	sourcetest.Test(t, open(t, people(header+"1,ada@x,,\n2,ben@x,TRUE,a;b\n")), "User", "1", "2")
}
