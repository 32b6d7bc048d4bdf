import process from 'node:process';

/**
 * Runs `body` with `MONGODB_URL`, `KAFKA_BROKERS` and `REDIS_URL` in the environment.
 *
 * @throws Error when one of them is missing
 */
export async function withTestServers<T>(body: () => Promise<T>): Promise<T> {
  const missing = ['MONGODB_URL', 'KAFKA_BROKERS', 'REDIS_URL'].filter((name) => !process.env[name]);
  if (missing.length > 0) throw new Error(`integration specs need servers: set ${missing.join(', ')}`);
  return body();
}
