package scim_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/scimbridge/scim"
)

func ExampleUser() {
	user := scim.User{
		UserName: "taylor.lee@example.com",
		Name:     &scim.Name{GivenName: "Taylor", FamilyName: "Lee"},
		Active:   scim.Bool(true),
	}
	text, err := json.MarshalIndent(user, "", "  ")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(string(text))
	// Output:
	// {
	//   "schemas": [
	//     "urn:ietf:params:scim:schemas:core:2.0:User"
	//   ],
	//   "userName": "taylor.lee@example.com",
	//   "name": {
	//     "familyName": "Lee",
	//     "givenName": "Taylor"
	//   },
	//   "active": true
	// }
}

func ExampleError() {
	var err error = &scim.Error{Status: 409, Type: scim.Uniqueness, Detail: "userName is taken"}

	if errors.Is(err, scim.ErrUniqueness) {
		fmt.Println("choose another name:", err)
	}
	var refusal *scim.Error
	if errors.As(err, &refusal) {
		fmt.Println(refusal.Status)
	}
	// Output:
	// choose another name: scim: 409 uniqueness: userName is taken
	// 409
}
