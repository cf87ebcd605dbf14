package expr

import "strings"

// Functions that read the roles an application assigns to a person.

const (
	roleAttribute = "appRoleAssignments"
	roleType      = "WindowsAzureActiveDirectoryRole"
)

func roleFunctions() []builtin {
	roles := []Param{anything("appRoleAssignments")}
	return []builtin{
		{
			Signature: Signature{
				Name: "AppRoleAssignmentsComplex", Result: KindList, Params: roles,
				Help: "All roles as complex values with primary, type, display and value. They are added to those of the target: see Program.AddsOnly. " +
					"The argument is [appRoleAssignments]. Null if there is no role.",
			},
			run:   complexRoles,
			check: checkRoles,
		},
		{
			Signature: Signature{
				Name: "AssertiveAppRoleAssignmentsComplex", Result: KindList, Params: roles,
				Help: "The roles as AppRoleAssignmentsComplex gives them, to replace those of the target.",
			},
			run:   complexRoles,
			check: checkRoles,
		},
		{
			Signature: Signature{
				Name: "SingleAppRoleAssignment", Result: KindString, Params: roles,
				Help: "The value of one role: the first if there are several. The argument is [appRoleAssignments]. Null if there is no role.",
			},
			run:   singleRole,
			check: checkRoles,
		},
	}
}

func checkRoles(c *compiler, call *invocation) error {
	if a := &call.args[0]; !isAttribute(a.node, roleAttribute) {
		return c.failArg(a, "the argument must be the attribute [%s]", roleAttribute)
	}
	return nil
}

// role reads one assignment: a complex value with value and displayName or display, where one may
// stand for the other, or just a text. An assignment without either gives access but no role.
func role(v Value) (value, display string) {
	if v.kind == KindString {
		return v.str(), v.str()
	}
	value = v.Field("value").String()
	display = v.Field("displayName").String()
	if display == "" {
		display = v.Field("display").String()
	}
	if value == "" {
		value = display
	}
	if display == "" {
		display = value
	}
	return strings.TrimSpace(value), strings.TrimSpace(display)
}

func complexRoles(f *frame, c *invocation) (Value, error) {
	v, err := c.args[0].value(f)
	if err != nil {
		return Value{}, err
	}
	var roles []Value
	for i := range v.Len() {
		value, display := role(v.At(i))
		if err := f.spend(c, 256+len(value)+len(display)); err != nil {
			return Value{}, err
		}
		if value == "" {
			continue // access without a role
		}
		roles = append(roles, Complex(map[string]any{
			"primary": false, "type": roleType, "display": display, "value": value,
		}))
	}
	return List(roles...), nil
}

func singleRole(f *frame, c *invocation) (Value, error) {
	v, err := c.args[0].value(f)
	if err != nil {
		return Value{}, err
	}
	for i := range v.Len() {
		if value, _ := role(v.At(i)); value != "" {
			return c.text(f, value)
		}
	}
	return Value{}, nil
}
