// What a Store is called, and what its errors may say: where Redis is, and never a password.

package modelrefredis

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// userInfo matches what stands before the host in an address, to which some give a whole URL.
var userInfo = regexp.MustCompile(`\S*@`)

// settings is what a client says of itself.
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

// name returns what a Store of these settings is called.
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

// redact takes out of a text what may be a password.
func (s *Store) redact(text string) string {
	if s.password != "" {
		text = strings.ReplaceAll(text, s.password, "***")
	}
	return userInfo.ReplaceAllString(text, "***@")
}
