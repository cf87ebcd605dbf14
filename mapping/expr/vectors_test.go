package expr_test

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"

	"github.com/scimbridge/scim/mapping/expr"
)

// vector is one documented example. In expected, "<ignored>" and "IgnoreObjectFlow" stand for the
// ignore values.
type vector struct {
	Source     string         `json:"source"`
	Expression string         `json:"expression"`
	Attributes map[string]any `json:"attributes"`
	Expected   any            `json:"expected"`
	Got        any            `json:"got"`
	Taken      []string       `json:"taken_in_target"`
	Now        string         `json:"now"`
	Note       string         `json:"note"`
}

type vectorFile struct {
	Verified     []vector `json:"verified"`
	Inconsistent []vector `json:"documented_but_inconsistent"`
}

func readVectors(t testing.TB) vectorFile {
	t.Helper()
	data, err := os.ReadFile("testdata/entra_expressions.json")
	if err != nil {
		t.Fatal(err)
	}
	var file vectorFile
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// result evaluates the example and prints the outcome as the file writes it.
func (v vector) result(t *testing.T) any {
	t.Helper()
	p, err := expr.Compile(v.Expression)
	if err != nil {
		t.Fatalf("Compile(%s): %v", v.Expression, err)
	}
	env := &expr.Env{
		Source: expr.Attributes(v.Attributes),
		Taken: func(_ context.Context, value string) (bool, error) {
			return slices.Contains(v.Taken, value), nil
		},
		Clock: func() time.Time {
			if v.Now == "" {
				t.Errorf("%s asks for the time, but the example gives none", v.Expression)
			}
			now, err := time.Parse(time.RFC3339, v.Now)
			if err != nil {
				t.Error(err)
			}
			return now
		},
	}
	got, err := p.Eval(t.Context(), env)
	if err != nil {
		t.Fatalf("Eval(%s): %v", v.Expression, err)
	}
	switch got.Kind() {
	case expr.KindIgnoreAttribute:
		return "<ignored>"
	case expr.KindList:
		return got.Any()
	}
	return got.String()
}

// TestVerifiedVectors holds for every documented example whose output agrees with its expression.
func TestVerifiedVectors(t *testing.T) {
	vectors := readVectors(t).Verified
	if len(vectors) < 100 {
		t.Fatalf("only %d vectors", len(vectors))
	}
	for _, v := range vectors {
		t.Run(v.Expression, func(t *testing.T) {
			if diff := cmp.Diff(v.Expected, v.result(t)); diff != "" {
				t.Errorf("%s over %v (-documented +got):\n%s", v.Expression, v.Attributes, diff)
			}
		})
	}
}

// The examples whose documented output contradicts their own expression, and why. What is asserted
// is what the expression says by the documented rules of its functions.
var inconsistencies = map[string]string{
	`Replace([mobile], , "[()\\s-]+", , "", , )`:                                                                                                       "the pattern does not match the plus sign, so it stays",
	`Split([extensionAttribute5], ",")`:                                                                                                                "the documented items are trimmed and nothing says that Split trims; see WithTrimSplit",
	`Join("", 1000, Replace(ConvertToUTF8Hex([objectId]), , "[a-zA-Z_]*", , "", , ))`:                                                                  "the GUID was replaced by a placeholder without computing the result anew",
	`Join("@", NormalizeDiacritics(StripSpaces(Join(".", [PreferredFirstName], [PreferredLastName]))), "contoso.com")`:                                 "nothing makes the letters small",
	`Switch(Replace([telephoneNumber], , "\\+(?<isdCode>\\d* )(?<phoneNumber>.*)", , "${isdCode}", , ), "USA", "1", "USA", "44", "GBR", "49", "DEU" )`: "the group takes the space after the digits along, so that no key is equal",
	`Switch([Active], , "1", IIF([StatusRehire]=1, IIF(DateDiff("d", Now(), CDate([StatusHireDate])) >= 0, "False", "True"), "False"), "0", "True")`:   "the hire date is in the future, so that the difference is positive",
	`IIF(DateDiff("d", Now(), CDate([StatusHireDate])) >= 0, [Department], IgnoreAttributeFlow)`:                                                       "the hire date is in the past, so that the difference is negative",
	`NumFromDate(Join("", FormatDateTime([ContractEndDate], ,"yyyy-MM-ddzzz", "yyyy-MM-dd"), "T23:59:59-08:00"))`:                                      "the file time was miscalculated",
	`Join("", Switch([SupervisoryOrganization],"", "Engineering", "OU=Engineering,", "Shared Services", "OU=Shared Services,"), Switch([CostCenter],"", "Modern Workplace","OU=Modern Workplace,"), Switch([Country],"", "US","OU=USA,", "UK","OU=UK,"), "OU=Users,DC=contoso,DC=com" )`: "the key UK of the expression was overlooked",
	`StripSpaces(NormalizeDiacritics(Switch([custom06], Join("", [firstName], ".", [lastName], "@ltts.com"), "Temporary", Join("", [firstName], ".", [lastName], "_ext@ltts.com"))))`:                                                                                                    "nothing makes the letters small",
	`Switch([endDate], NumFromDate(Join("", FormatDateTime([endDate], "M/d/yyyy hh:mm:ss tt", "yyyy-MM-dd"), "T23:59:59-04:00")), "12/31/9999 12:00:00 AM", NumFromDate("2099-12-31T23:59:59-04:00") )`:                                                                                  "the file time was miscalculated",
	`Replace(Mid(Replace(NormalizeDiacritics(StripSpaces(Join("", Mid([firstName],1,1), [lastName]))), , "([\\/\\\\\\[\\]\\:\\;\\|\\=\\,\\+\\*\\?\\<\\>])", , "", , ), 1, 20), , "(\\.)*$", , "", , )`:                                                                                   "nothing makes the letters small or removes the hyphen",
	`Replace(Mid(Replace(Replace([username],,"(?<id>.*)@(?<domain>.*)",,"${id}",,), , "([\\/])", , "", , ), 1, 20), , "(\\.)*$", , "", , )`:                                                                                                                                              "only a point at the end is removed",
	`IgnoreFlowIfNullOrEmpty(IIF(DateDiff("d", Now(), CDate([extensionAttribute9])) <> 1, "", [mail]))`:                                                                                                                                                                                  "the difference is 1, so that the other branch is taken",
}

// TestInconsistentExamples shows what comes out where the documentation is wrong, and that it does
// differ from what is documented.
func TestInconsistentExamples(t *testing.T) {
	for _, v := range readVectors(t).Inconsistent {
		t.Run(v.Expression, func(t *testing.T) {
			if inconsistencies[v.Expression] == "" {
				t.Errorf("no reason is given for %s", v.Expression)
			}
			want := v.Got
			if want == "IgnoreAttributeFlow" {
				want = "<ignored>"
			}
			got := v.result(t)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s over %v (-want +got):\n%s", v.Expression, v.Attributes, diff)
			}
			if cmp.Equal(v.Expected, got) {
				t.Errorf("%s gives what is documented: it is no longer inconsistent", v.Expression)
			}
		})
	}
}
