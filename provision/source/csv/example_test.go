package csv_test

import (
	"context"
	"fmt"
	"testing/fstest"

	"github.com/scimbridge/scim/provision/source/csv"
)

func Example() {
	files := fstest.MapFS{
		"people.csv": {Data: []byte("employeeId,mail,accountEnabled\nE1,ada@example.com,TRUE\nE2,ben@example.com,FALSE\n")},
		"groups.csv": {Data: []byte("groupId,name,members\nG1,Staff,E1;E2\n")},
	}
	source, err := csv.New(
		csv.Table{Type: "User", FS: files, File: "people.csv", ID: "employeeId", Booleans: []string{"accountEnabled"}},
		csv.Table{Type: "Group", FS: files, File: "groups.csv", ID: "groupId", Lists: map[string]string{"members": ";"}},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, objectType := range []string{"User", "Group"} {
		for entry, err := range source.Entries(context.Background(), objectType) {
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(entry.ID, entry.Attributes)
		}
	}
	// Output:
	// E1 map[accountEnabled:true employeeId:E1 mail:ada@example.com]
	// E2 map[accountEnabled:false employeeId:E2 mail:ben@example.com]
	// G1 map[groupId:G1 members:[E1 E2] name:Staff]
}

// A file that was changed by hand is refused as a whole, and the error says where.
func ExampleError() {
	files := fstest.MapFS{"people.csv": {Data: []byte("employeeId,mail\nE1,ada@example.com\nE2\n")}}
	source, err := csv.New(csv.Table{Type: "User", FS: files, File: "people.csv", ID: "employeeId"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, err := range source.Entries(context.Background(), "User") {
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// csv: people.csv:3:1: the line does not have the 2 fields that the first line has
}
