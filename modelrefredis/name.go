// This file has the name of a Store, and removes passwords from its errors.

package modelrefredis

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// userInfo matches the part of an address before the host. The address may be a URL, although go-redis does not expect
// one.
var userInfo = regexp.MustCompile(`\S*@`)

// settings are the options of a client.
type settings struct {
	addresses []string
	database  int
	password  string
}

func settingsOf(client redis.UniversalClient) settings {
	switch c := client.(type) {
	case interface{ Options() *redis.Options }:
		o := c.Options()
		return settings{[]string{o.Addr}, o.DB, o.Password}
	case interface{ Options() *redis.ClusterOptions }:
		o := c.Options()
		return settings{slices.Clone(o.Addrs), 0, o.Password}
	case interface{ Options() *redis.RingOptions }:
		o := c.Options()
		return settings{slices.Sorted(maps.Values(o.Addrs)), o.DB, o.Password}
	}
	return settings{}
}

// name returns the name of a Store with these settings.
func (s settings) name() string {
	for i, address := range s.addresses {
		s.addresses[i] = userInfo.ReplaceAllString(address, "")
	}
	name := strings.TrimSpace("redis " + strings.Join(s.addresses, ","))
	if s.database != 0 {
		name += "/" + strconv.Itoa(s.database)
	}
	return name
}

// masking returns a function that replaces the password in a text.
func masking(password string) func(string) string {
	return func(text string) string {
		if password == "" {
			return text
		}
		return strings.ReplaceAll(text, password, "***")
	}
}

// redact replaces every part of a text that may be a password.
func (s *Store) redact(text string) string {
	if s.maskPassword != nil { // it is nil in the zero Store
		text = s.maskPassword(text)
	}
	return userInfo.ReplaceAllString(text, "***@")
}
