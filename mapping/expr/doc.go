// Package expr runs the expressions of Microsoft Entra attribute mappings: what an administrator
// wrote in the portal gives the same result here, is checked before the first object is touched, and
// costs a few hundred nanoseconds an object.
//
//	p, err := expr.Compile(`ToLower(Join("@", [mailNickname], "contoso.com"))`)
//	…
//	v, err := p.Eval(ctx, &expr.Env{Source: expr.Attributes{"mailNickname": "J.Smith"}})
//	v.String() // j.smith@contoso.com
//
// # The language
//
// An expression is a function call, an [attribute], a "text" or a number. Functions nest. Their
// names are case-sensitive, and so is every comparison of text. In a text \\ and \" are escapes, and
// a backslash before anything else stands for itself. Numbers are written 5, -10, 42568.75 or &HF7.
// An argument left empty is left out: Switch([a], , "k", "v"). There are no operators but the
// comparisons =, <>, <, <=, > and >=, which stand as a condition of IIF, CBool or Not.
// White space is free.
//
// An attribute name may hold any character but brackets, which must pair up: [name.givenName],
// [urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department] and
// [emails[type eq "work"].value] are names, and what they mean is up to the [Source].
//
// [Signatures] lists the functions with what each does, also with null and at the edges.
//
// # Values
//
// An absent attribute is null. Where text is wanted null is "", numbers are written in digits,
// booleans are True and False, and dates are M/d/yyyy h:mm:ss tt in UTC. A list of one value is that
// value; a list of several where one is wanted is an error. Whole numbers may be given as text.
//
// Two values more can come out. IgnoreAttributeFlow, and IgnoreFlowIfNullOrEmpty of nothing, mean
// that the target attribute is left out of the request; IgnoreObjectFlow means that the object is
// left out of the cycle. A function that would work on an ignore value passes it on instead.
//
// [Program.Trace] tells step by step how a result came about.
//
// Arguments are evaluated when their value is needed: the branches of IIF, and the keys, values and
// default of Switch, only if they are reached. So an expression may convert a date in one branch
// that the other branch exists to protect.
//
// # Where the documentation leaves it open
//
// Microsoft's pages contradict themselves in places, or stay silent. This is what happens here:
//
//   - PCase without separators treats the apostrophe as a separator, as its list of categories says:
//     John'S. [WithPCaseApostrophes] gives John's.
//   - IIF compares null as "", so that conditions about an empty attribute work. The service calls
//     them unsupported: [WithStrict] refuses them, [WithNullConditionsFail] makes them false.
//   - Join skips null and "" together with their separator. [WithJoinEmpty] keeps them.
//   - Coalesce passes over "" as over null. [WithCoalesceNullOnly] does not.
//   - Split does not trim. [WithTrimSplit] does.
//   - CDate takes a date without an offset to be in UTC.
//   - RemoveDuplicates keeps the first of each and respects case.
//     [WithIgnoreCaseOfDuplicates] does not; use it for target attributes that are not caseExact.
//   - Len, Left, Mid and InStr count characters. [WithUTF16] counts as the service's runtime does.
//   - Two sides of a comparison that both read as numbers compare as numbers, of any length.
//   - A function that changes text gives null for null, except those documented to give "": Left,
//     Mid, Replace and Word.
//   - Item of null is null; a position a list does not have is an error.
//   - CDate, DateAdd, DateFromNum, NumFromDate and FormatDateTime of null or "" are null. DateDiff is
//     an error, because a comparison of it would decide on nothing.
//   - Years of two digits are those from 1950 to 2049.
//   - What RandomString adds to the minimums comes from the kinds asked for.
//
// # Regular expressions
//
// Replace takes the syntax of .NET and gives its results, in time linear in the text: \w, \d, \s and
// \b know Unicode, $ matches before a line feed at the end, groups without a name are numbered first,
// and an empty match may follow another match. Look-around, back-references, atomic, balancing and
// conditional groups, class subtraction and the options n and x are errors at compile time.
// [WithRegexp] takes another engine; [CompileRegexp] gives this one by itself.
//
// # Hostile input
//
// An expression has at most 10,000 characters and 250 levels. [Limits] bounds the length of every
// text made on the way and the work of an evaluation. Errors of an evaluation are of type [*Error]
// and name the function, the argument and the place; they quote at most 40 characters of a value,
// none if the expression uses Redact.
package expr
