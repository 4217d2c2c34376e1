import type { Redis } from "ioredis";

/**
 * Each script is one atomic step. They touch only the keys that they are given, and do not read Redis's clock: the ACL of the
 * service's user permits neither TIME nor other services' keys.
 */

/** KEYS: session, the user's index. Returns the IDs of sessions that had to make room. */
const CREATE = `
local user, secret, epoch, now, idle, max, limit, sid = unpack(ARGV)
redis.call('HSET', KEYS[1], 'user', user, 'secret', secret, 'epoch', epoch, 'created', now, 'expires', now + max)
redis.call('PEXPIRE', KEYS[1], math.min(idle, max))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - max)
redis.call('ZADD', KEYS[2], now, sid)
redis.call('PEXPIRE', KEYS[2], max)
local surplus = redis.call('ZCARD', KEYS[2]) - limit
local popped = {}
if surplus > 0 then
  local entries = redis.call('ZPOPMIN', KEYS[2], surplus)
  for i = 1, #entries, 2 do popped[#popped + 1] = entries[i] end
end
return popped
`;

/** KEYS: session. Returns `rotated`, `conflict`, `reused` or `unknown`; a reused token ends its session here and now. */
const ROTATE = `
local presented, successor, now, idle, grace = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local session = redis.call('HMGET', KEYS[1], 'secret', 'previous', 'rotated', 'expires')
if not session[1] then return 'unknown' end
if session[1] == presented then
  redis.call('HSET', KEYS[1], 'secret', successor, 'previous', presented, 'rotated', now)
  redis.call('PEXPIRE', KEYS[1], math.max(1, math.min(idle, session[4] - now)))
  return 'rotated'
end
if session[2] == presented and now - session[3] <= grace then return 'conflict' end
redis.call('DEL', KEYS[1])
return 'reused'
`;

/** What a refresh token turned out to be. */
export type Rotation = "rotated" | "conflict" | "reused" | "unknown";

export interface SessionScripts {
  createSession(session: string, index: string, ...args: (string | number)[]): Promise<string[]>;
  rotateSession(session: string, ...args: (string | number)[]): Promise<Rotation>;
}

/** The client with the scripts as commands: sent by their hash, loaded where Redis does not know them. */
export function withSessionScripts(redis: Redis): Redis & SessionScripts {
  redis.defineCommand("createSession", { numberOfKeys: 2, lua: CREATE });
  redis.defineCommand("rotateSession", { numberOfKeys: 1, lua: ROTATE });
  return redis as Redis & SessionScripts;
}
