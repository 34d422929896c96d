// Package modelrefredis is a modelref.Store in Redis, for workers on several machines: one of them downloads a category,
// the others read what it has written, with its source and its age.
//
//	client := redis.NewClient(&redis.Options{Addr: "127.0.0.1:6379", ContextTimeoutEnabled: true})
//	defer client.Close()
//	models, err := modelref.New(modelref.WithStore(modelrefredis.New(client)))
//
// # When Redis is gone
//
// Each worker is on its own then, as without a Store. An operation ends after WithTimeout at the latest, however the
// client is set up, with its retries and its wait for a free connection. After one that found no Redis the Store leaves
// Redis alone for WithCoolDown and refuses every operation at once, so that a read pays for the outage once. Then one
// operation looks whether Redis is back; where it is not, the next pause is twice as long, up to a minute. An error reply
// that is about one key, or about writing alone, as WRONGTYPE, OOM or READONLY, is returned as it is and starts no pause. A
// lock is given back in a pause too, since others wait for it.
//
// An operation that was given up goes on inside of the client until the client's own timeouts end it, or the client is
// closed. With ContextTimeoutEnabled among the client's options it ends at once. With a DialerRetries of 1 the client
// says that a connection was refused, where it would else try until the time is over.
//
// # What is in Redis
//
// A category CATEGORY is a hash PREFIXCATEGORY, as modelref:clip, with these fields:
//
//   - document, the v2 category document, byte for byte;
//   - note, what a modelref.Client knows of it: its source, when that was confirmed, a checksum;
//   - written_at, when the document was written, in the format of RFC 3339.
//
// A hash with a document alone, put there by another program, will do. Whoever downloads the category holds the string
// PREFIXCATEGORY:lock, which ends with its lease. The Redis user needs the commands EVALSHA, EVAL, TYPE, HSET, HGET,
// HMGET, HEXISTS, HSTRLEN, GET, SET, DEL, PEXPIRE and PERSIST on these keys.
//
// Documents are not compressed. That of image_generation has some 130 kB and is read once each time it changes; what is
// asked in between is the note.
//
// # Logging
//
// This package writes nothing anywhere. The go-redis client has a logger of its own, one for the whole program, which
// writes to standard error, also when Redis is gone. A program that does not want that calls Disable of go-redis's package
// logging, or redis.SetLogger. What it writes there may have in it what was given as the client's address.
package modelrefredis
