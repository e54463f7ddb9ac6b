// The keyspace as it is.
import { Redis } from 'ioredis';
import { connection } from './shared.js';

const clients = new Map();

function client(port) {
  if (!clients.has(port)) clients.set(port, new Redis({ ...connection, port }));
  return clients.get(port);
}

function pairs(flat) {
  return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], flat[2 * index + 1]]);
}

const READ = {
  string: (redis, key) => redis.get(key),
  list: (redis, key) => redis.lrange(key, 0, -1),
  set: async (redis, key) => (await redis.smembers(key)).sort(),
  hash: (redis, key) => redis.hgetall(key),
  zset: async (redis, key) => pairs(await redis.zrange(key, 0, -1, 'WITHSCORES')),
  stream: async (redis, key) =>
    (await redis.xrange(key, '-', '+')).map(([, flat]) => Object.fromEntries(pairs(flat))),
};

export const commands = {
  /** Every key that fits, with its type, whether it expires, and its value. */
  async dump({ port = connection.port, pattern = '*' }) {
    const redis = client(port);
    const keys = {};
    for (const key of (await redis.keys(pattern)).sort()) {
      const type = await redis.type(key);
      if (type === 'none') continue;
      keys[key] = { type, expires: (await redis.pttl(key)) >= 0, value: await READ[type](redis, key) };
    }
    return { now: Date.now(), keys };
  },
  loseLease: ({ port, queue, job }) => client(port).del(`bull:${queue}:${job}:lock`),
  /** Any Redis command. */
  redis: ({ words }) => client(connection.port).call(...words),
};
