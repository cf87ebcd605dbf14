package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
	"strings"
)

// table is a CSV file with a header, its rows found by their first column.
type table struct {
	header []string
	rows   [][]string
}

func parseTable(data []byte) (*table, error) {
	records, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return nil, err
	}
	return &table{header: records[0], rows: records[1:]}, nil
}

func (t *table) write(file string) error {
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(append([][]string{t.header}, t.rows...)); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o600)
}

// cell returns the cell of a row, or an error that names what is missing.
func (t *table) cell(id, column string) (*string, error) {
	c := slices.Index(t.header, column)
	r := slices.IndexFunc(t.rows, func(row []string) bool { return row[0] == id })
	if c < 0 || r < 0 {
		return nil, fmt.Errorf("the day's script needs %s of %s, which is not in the directory", column, id)
	}
	return &t.rows[r][c], nil
}

func (t *table) set(id string, values map[string]string) error {
	for column, value := range values {
		cell, err := t.cell(id, column)
		if err != nil {
			return err
		}
		*cell = value
	}
	return nil
}

func (t *table) remove(id string) {
	t.rows = slices.DeleteFunc(t.rows, func(row []string) bool { return row[0] == id })
}

// change adds and removes members of a group.
func (t *table) change(group string, add, remove []string) error {
	cell, err := t.cell(group, "members")
	if err != nil {
		return err
	}
	members := slices.DeleteFunc(strings.Split(*cell, ";"), func(id string) bool {
		return id == "" || slices.Contains(remove, id)
	})
	*cell = strings.Join(append(members, add...), ";")
	return nil
}

// step is one thing that happens in the company, and how it shows in the HR export.
type step struct {
	news  string
	apply func(people, groups *table) error
}

// theDay is what happens between the two cycles of the demonstration.
var theDay = []step{
	{"three people join; one of them was a contractor whom two groups have been waiting for", func(people, groups *table) error {
		people.rows = append(people.rows,
			[]string{"E11201", "siobhan.nimhurchu@meridian.example", "Siobhán", "Ní Mhurchú", "Siobhán Ní Mhurchú", "Engineering", "Software Engineer", "Aarhus", "E10002", "TRUE"},
			[]string{"E11202", "Tuan.Le@meridian.example", "Tuấn", "Lê", "Lê Tuấn", "Sales", "Sales Engineer", "Taipei", "E10003", "TRUE"},
			[]string{"X90001", "r.vandermerwe@meridian.example", "Ruan", "van der Merwe", "Ruan van der Merwe", "Operations", "IT Administrator", "Nairobi", "E10001", "TRUE"},
		)
		if err := groups.change("G002", []string{"E11201"}, nil); err != nil {
			return err
		}
		return groups.change("G005", []string{"E11202"}, nil)
	}},
	{"two people change their name, one of them with the e-mail", func(people, _ *table) error {
		if err := people.set("E10003", map[string]string{"surname": "Šimková-Strand"}); err != nil {
			return err
		}
		return people.set("E10004", map[string]string{
			"surname": "Okonkwo", "displayName": "Zoë Okonkwo", "userPrincipalName": "zoe.okonkwo@meridian.example",
		})
	}},
	{"four people leave: three accounts are switched off, one row is gone from the export", func(people, _ *table) error {
		for _, id := range []string{"E10011", "E10012", "E10013"} {
			if err := people.set(id, map[string]string{"accountEnabled": "FALSE"}); err != nil {
				return err
			}
		}
		people.remove("E10014")
		return nil
	}},
	{"a team moves from one project to another, a group is renamed, one is founded and one dissolved", func(_, groups *table) error {
		team := []string{"E10615", "E11021", "E10573"}
		if err := groups.change("G026", nil, team); err != nil {
			return err
		}
		if err := groups.change("G033", team, nil); err != nil {
			return err
		}
		if err := groups.set("G057", map[string]string{"displayName": "API Guild & Friends"}); err != nil {
			return err
		}
		groups.rows = append(groups.rows, []string{"G061", "Project Åland", "API workspace", "E10003;E10005;E11201"})
		groups.remove("G022")
		return nil
	}},
	{"HR mends its data: one of two people gets a mailbox of her own, one-word names are entered twice", func(people, _ *table) error {
		if err := people.set("E10642", map[string]string{"userPrincipalName": "reception@meridian.example"}); err != nil {
			return err
		}
		for _, id := range []string{"E10101", "E10301", "E10501", "E10701", "E10901"} {
			surname, err := people.cell(id, "surname")
			if err != nil {
				return err
			}
			if err := people.set(id, map[string]string{"givenName": *surname}); err != nil {
				return err
			}
		}
		return nil
	}},
}

// liveTheDay changes the two files as the day's script says, and tells each step to say.
func liveTheDay(peopleFile, groupsFile string, say func(news string)) error {
	people, err := readTable(peopleFile)
	if err != nil {
		return err
	}
	groups, err := readTable(groupsFile)
	if err != nil {
		return err
	}
	for _, s := range theDay {
		say(s.news)
		if err := s.apply(people, groups); err != nil {
			return err
		}
	}
	if err := people.write(peopleFile); err != nil {
		return err
	}
	return groups.write(groupsFile)
}

func readTable(file string) (*table, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	return parseTable(data)
}
