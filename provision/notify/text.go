package notify

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/scimbridge/scim/provision"
)

// Subject returns a notification in one line, as an e-mail's subject.
func Subject(n provision.Notification) string {
	return oneLine(fmt.Sprintf("[%s] %s", n.Job, headline(n)))
}

func headline(n provision.Notification) string {
	switch n.Kind {
	case provision.NotifyDisabled:
		return "provisioning was switched off"
	case provision.NotifyRecovered:
		return "provisioning works again"
	case provision.NotifyGivenUp:
		return "objects are not tried again"
	case provision.NotifyAltered:
		return "the target does not keep what is written"
	case provision.NotifyQuarantine:
		return troubles[n.Reason]
	}
	return string(n.Kind)
}

var troubles = map[provision.QuarantineReason]string{
	provision.TooManyDeletes:                       "deletions are held and wait for you",
	provision.IngestionInterrupted:                 "the source cannot be read",
	provision.EncounteredQuarantineException:       "the target cannot be used",
	provision.EncounteredBaseEscrowThreshold:       "too many objects fail",
	provision.EncounteredTotalEscrowThreshold:      "too many objects fail",
	provision.EncounteredEscrowProportionThreshold: "too many objects fail",
}

// Text returns a notification as a text for an administrator: what happened, to which job, and what to do next.
func Text(n provision.Notification) string {
	var b strings.Builder
	fmt.Fprintf(&b, "What happened\n    %s\n", sentence(n.Message))
	if n.Remedy != "" {
		fmt.Fprintf(&b, "\nWhat to do next\n    %s\n", sentence(n.Remedy))
	}
	b.WriteByte('\n')
	for _, line := range [][2]string{
		{"Job", n.Job}, {"Reason", string(n.Reason)}, {"Cycle", n.CycleID}, {"Time", n.Time.UTC().Format(time.RFC1123)},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%-8s %s\n", line[0], oneLine(line[1]))
		}
	}
	switch n.Kind {
	case provision.NotifyQuarantine:
		b.WriteString("\nThis is told once. You are told when it is over, or when something else happens.\n")
	case provision.NotifyRecovered:
	default:
		b.WriteString("\nThis is told once.\n")
	}
	return b.String()
}

// sentence makes a sentence of what is written like an error.
func sentence(text string) string {
	text = strings.TrimPrefix(oneLine(text), "provision: ")
	if first, size := utf8.DecodeRuneInString(text); size > 0 {
		text = string(unicode.ToUpper(first)) + text[size:]
	}
	if text != "" && !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

// oneLine takes line breaks and other control characters out of a text.
func oneLine(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, text))
}
