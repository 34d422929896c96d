// The text forms of the enumerations, for JSON, flags and configuration files.

package modelref

import (
	"fmt"
	"strings"
)

var (
	sourceNames    = []string{"none", "primary", "github", "disk", "store", "bootstrap"}
	eventKindNames = []string{
		"unknown", "hit", "load", "revalidate", "source_failed", "fallback", "unavailable", "breaker_opened", "breaker_closed",
		"store_failed",
	}
	matchKindNames = []string{"none", "exact", "folded", "words", "prefix", "substring", "typo"}
)

// String returns the name of the source, such as "primary" or "github". It returns "none" for a value that this package does not
// define.
func (o Source) String() string { return enumName(sourceNames, o) }

// MarshalText returns the result of String. It never fails.
func (o Source) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText sets o to the source with that name. It returns an error if there is none.
func (o *Source) UnmarshalText(text []byte) (err error) {
	*o, err = parseEnum[Source]("source", sourceNames, text)
	return err
}

// String returns the name of the kind, such as "hit" or "source_failed". It returns "unknown" for a value that this package does
// not define.
func (k EventKind) String() string { return enumName(eventKindNames, k) }

// MarshalText returns the result of String. It never fails.
func (k EventKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText sets k to the kind with that name. It returns an error if there is none.
func (k *EventKind) UnmarshalText(text []byte) (err error) {
	*k, err = parseEnum[EventKind]("kind of event", eventKindNames, text)
	return err
}

// String returns the name of the kind, for example "folded" or "typo". It returns "none" for a value that this package does not
// define.
func (k MatchKind) String() string { return enumName(matchKindNames, k) }

// MarshalText returns the result of String. It never fails.
func (k MatchKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText sets k to the kind with that name. It returns an error if there is none.
func (k *MatchKind) UnmarshalText(text []byte) (err error) {
	*k, err = parseEnum[MatchKind]("kind of match", matchKindNames, text)
	return err
}

// enumName returns the name of a value, or that of 0 if the value is not defined.
func enumName[E ~uint8](names []string, value E) string {
	if int(value) < len(names) {
		return names[value]
	}
	return names[0]
}

// parseEnum returns the value with a name.
func parseEnum[E ~uint8](what string, names []string, text []byte) (E, error) {
	for i, name := range names {
		if name == string(text) {
			return E(i), nil
		}
	}
	return 0, fmt.Errorf("modelref: %q is not a %s: it must be one of %s", text, what, strings.Join(names, ", "))
}
