// What runs inside of Redis. Each script works on one key, in one round trip, and whole or not at all.

package modelrefredis

import "github.com/redis/go-redis/v9"

var (
	// readScript returns {document, note, written_at}, or the size of a document that is larger than ARGV[1]. A note that
	// is larger than ARGV[2] is left out: the document stands without one.
	readScript = redis.NewScript(`
local size = redis.call('HSTRLEN', KEYS[1], 'document')
if size > tonumber(ARGV[1]) then return size end
local found = redis.call('HMGET', KEYS[1], 'document', 'note', 'written_at')
if not found[1] then return false end
if redis.call('HSTRLEN', KEYS[1], 'note') > tonumber(ARGV[2]) then found[2] = false end
if redis.call('HSTRLEN', KEYS[1], 'written_at') > tonumber(ARGV[2]) then found[3] = false end
return found`)

	// readNoteScript returns the note. That of a document which is gone would keep Clients from writing it anew.
	readNoteScript = redis.NewScript(`
if redis.call('HEXISTS', KEYS[1], 'document') == 0 then return false end
if redis.call('HSTRLEN', KEYS[1], 'note') > tonumber(ARGV[1]) then return false end
return redis.call('HGET', KEYS[1], 'note')`)

	// writeScript replaces what is there, of whatever type.
	writeScript = redis.NewScript(`
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'document', ARGV[2], 'note', ARGV[3], 'written_at', ARGV[4])` + expire)

	// writeNoteScript replaces the note of a document that is there.
	writeNoteScript = redis.NewScript(`
if redis.call('HEXISTS', KEYS[1], 'document') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'note', ARGV[2])` + expire)

	// lockScript takes a lock that is free, or that this Store holds and does not know of: the answer to an earlier
	// attempt was lost. The tokens of one Store begin with ARGV[1].
	lockScript = redis.NewScript(`
local holder = redis.call('GET', KEYS[1])
if holder and string.sub(holder, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)

	// holdScript prolongs a lock that is still held with this token.
	holdScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`)

	// unlockScript gives a lock back that is still held with this token.
	unlockScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`)
)

// expire ends a script that writes: ARGV[1] is how many milliseconds the entry is kept, or 0 for ever.
const expire = `
if ARGV[1] == '0' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1`
