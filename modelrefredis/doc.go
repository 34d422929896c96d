// Package modelrefredis implements [modelref.Store] with Redis, for workers on several machines. One of them downloads
// a category, and the others read its copy with its source and its age.
//
//	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", ContextTimeoutEnabled: true})
//	defer client.Close()
//	models, err := modelref.New(modelref.WithStore(modelrefredis.New(client)))
//
// # When Redis is down
//
// If Redis is down, each worker works by itself, as without a Store. An operation ends at the latest after the time of
// [WithTimeout], for all settings of the client, including its retries and its wait for a free connection. After an
// operation that cannot reach Redis, a circuit breaker opens for the time of [WithBreakerDelay]. While it is open, every
// operation fails immediately. Therefore only one read pays for the outage. Then one operation checks whether Redis is
// up again. If it is not, the breaker opens again for twice as long, up to a minute. An error reply that concerns only
// one key or only writing, such as WRONGTYPE, OOM or READONLY, is returned and does not open the breaker. A lock is
// released even if the breaker is open, because other workers wait for it.
//
// An operation that has timed out continues inside the client until the timeouts of the client end it, or until the
// client is closed. If the client has the option ContextTimeoutEnabled, the operation ends at once. If the client has
// the option DialerRetries: 1, it reports a refused connection at once. Otherwise it retries until the timeout.
//
// # Keys in Redis
//
// The category CATEGORY is a hash with the key PREFIXCATEGORY, such as modelref:clip. It has these fields:
//
//   - document, the v2 category document, byte for byte;
//   - note, the provenance that a modelref.Client has written: the source, the time of the confirmation, a checksum;
//   - written_at, the time when the document was written, in the format of RFC 3339.
//
// A hash that has only a document, for example from another program, is valid. The worker that downloads the category
// holds the string PREFIXCATEGORY:lock, which expires with its lease. The Redis user needs the commands EVALSHA, EVAL,
// TYPE, HSET, HGET, HMGET, HEXISTS, HSTRLEN, GET, SET, DEL, PEXPIRE and PERSIST on these keys.
//
// Documents are not compressed. The document of image_generation has about 130 kB and is read once after each change.
// Between changes only the provenance is read.
//
// # Logging
//
// This package does not log. The go-redis client has a logger of its own, one for the whole program, which writes to
// standard error, for example while Redis is down. To prevent this, call Disable of go-redis's package logging, or
// redis.SetLogger. The messages of go-redis may contain the address that was passed to the client.
package modelrefredis
