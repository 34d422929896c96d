// The text forms of the enumerations, for JSON and flags.

package download

import (
	"fmt"
	"strings"
)

var (
	checkNames   = []string{"changed", "content"}
	stateNames   = []string{"missing", "partial", "verified", "unverified", "mismatch"}
	outcomeNames = []string{"failed", "kept", "downloaded", "linked"}
	orphanNames  = []string{"unknown", "file", "partial", "sidecar"}
	eventNames   = []string{
		"unknown", "verifying", "started", "progress", "waiting", "restarted", "source_failed", "done", "failed", "warning",
	}
)

// String returns the name of the check: "changed" or "content".
func (c Check) String() string { return enumName("Check", checkNames, c) }

// MarshalText returns the result of String. It never fails.
func (c Check) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText sets c to the check with that name. It returns an error if there is none.
func (c *Check) UnmarshalText(text []byte) (err error) {
	*c, err = parseEnum[Check]("check", checkNames, text)
	return err
}

// String returns the name of the state, for example "verified".
func (s State) String() string { return enumName("State", stateNames, s) }

// MarshalText returns the result of String. It never fails.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText sets s to the state with that name. It returns an error if there is none.
func (s *State) UnmarshalText(text []byte) (err error) {
	*s, err = parseEnum[State]("state of a file", stateNames, text)
	return err
}

// String returns the name of the outcome, for example "downloaded".
func (o Outcome) String() string { return enumName("Outcome", outcomeNames, o) }

// MarshalText returns the result of String. It never fails.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText sets o to the outcome with that name. It returns an error if there is none.
func (o *Outcome) UnmarshalText(text []byte) (err error) {
	*o, err = parseEnum[Outcome]("outcome", outcomeNames, text)
	return err
}

// String returns the name of the kind, for example "file".
func (k OrphanKind) String() string { return enumName("OrphanKind", orphanNames, k) }

// MarshalText returns the result of String. It never fails.
func (k OrphanKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText sets k to the kind with that name. It returns an error if there is none.
func (k *OrphanKind) UnmarshalText(text []byte) (err error) {
	*k, err = parseEnum[OrphanKind]("kind of orphan", orphanNames, text)
	return err
}

// String returns the name of the kind, for example "source_failed".
func (k EventKind) String() string { return enumName("EventKind", eventNames, k) }

// MarshalText returns the result of String. It never fails.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText sets k to the kind with that name. It returns an error if there is none.
func (k *EventKind) UnmarshalText(text []byte) (err error) {
	*k, err = parseEnum[EventKind]("kind of event", eventNames, text)
	return err
}

// enumName returns the name of a value. A value that is not defined has a name such as "State(200)".
func enumName[E ~uint8](kind string, names []string, value E) string {
	if int(value) < len(names) {
		return names[value]
	}
	return fmt.Sprintf("%s(%d)", kind, uint8(value))
}

// parseEnum returns the value with a name.
func parseEnum[E ~uint8](what string, names []string, text []byte) (E, error) {
	for i, name := range names {
		if name == string(text) {
			return E(i), nil
		}
	}
	return 0, fmt.Errorf("download: %q is not a %s: it must be one of %s", text, what, strings.Join(names, ", "))
}
