// This file has the scripts that run in Redis. Each script is atomic, uses one key, and needs one round trip.

package modelrefredis

import "github.com/redis/go-redis/v9"

var (
	// readScript returns {document, note, written_at}, or the size of the document if it is larger than ARGV[1]. If the
	// note is larger than ARGV[2], it is left out.
	readScript = redis.NewScript(`
local size = redis.call('HSTRLEN', KEYS[1], 'document')
if size > tonumber(ARGV[1]) then return size end
local found = redis.call('HMGET', KEYS[1], 'document', 'note', 'written_at')
if not found[1] then return false end
if redis.call('HSTRLEN', KEYS[1], 'note') > tonumber(ARGV[2]) then found[2] = false end
if redis.call('HSTRLEN', KEYS[1], 'written_at') > tonumber(ARGV[2]) then found[3] = false end
return found`)

	// readNoteScript returns the note if there is a document. With a note of a missing document, Clients would not
	// write the document again.
	readNoteScript = redis.NewScript(`
if redis.call('HEXISTS', KEYS[1], 'document') == 0 then return false end
if redis.call('HSTRLEN', KEYS[1], 'note') > tonumber(ARGV[1]) then return false end
return redis.call('HGET', KEYS[1], 'note')`)

	// writeScript replaces the entry, even if it has another type.
	writeScript = redis.NewScript(`
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'document', ARGV[2], 'note', ARGV[3], 'written_at', ARGV[4])` + expire)

	// writeNoteScript replaces the note if there is a document.
	writeNoteScript = redis.NewScript(`
if redis.call('HEXISTS', KEYS[1], 'document') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'note', ARGV[2])` + expire)

	// lockScript takes the lock if it is free. It also takes the lock if an earlier attempt of the same Store holds it,
	// because the reply of that attempt was lost. The tokens of a Store begin with ARGV[1] and end with the number of
	// the attempt. A command may reach Redis after a later attempt has taken the lock. It must not replace the lock of
	// the later attempt. A command that is sent twice must not shorten its lease.
	lockScript = redis.NewScript(`
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[2] then return 1 end
if holder then
	if string.sub(holder, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
	local theirs = tonumber(string.sub(holder, #ARGV[1] + 1))
	if theirs and theirs > tonumber(string.sub(ARGV[2], #ARGV[1] + 1)) then return 0 end
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)

	// holdScript extends the lease of the lock if its token is ARGV[1].
	holdScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 0`)

	// unlockScript releases the lock if its token is ARGV[1].
	unlockScript = redis.NewScript(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`)
)

// expire is the end of each script that writes. ARGV[1] is the time in milliseconds after which the entry expires, or 0
// if it does not expire.
const expire = `
if ARGV[1] == '0' then redis.call('PERSIST', KEYS[1]) else redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return 1`
