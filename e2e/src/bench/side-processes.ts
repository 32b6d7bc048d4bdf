import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { createInterface } from 'node:readline';
import { request } from 'undici';
import { eventually } from '../harness/eventually.ts';
import { testLimits } from '../harness/limits.ts';
import type { BenchPlatform } from './bench-platform.ts';

const checkout = path.resolve(import.meta.dirname, '../../..');

/** A server beside the platform. */
export interface SideProcess {
  readonly url: string;
  readonly pid: number;
  readonly stop: () => Promise<void>;
}

function sideProcess(args: readonly string[], env: NodeJS.ProcessEnv, url: string): SideProcess & { child: Child } {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { child, url, pid: child.pid ?? 0, stop };
}

type Child = ReturnType<typeof spawn>;

/** Runs one of this folder's programs that serves at the port it prints. */
export async function startServer(program: string, args: readonly string[] = []): Promise<SideProcess> {
  const file = path.join(import.meta.dirname, program);
  const { child, pid, stop } = sideProcess([file, ...args], process.env, '');
  if (child.stdout === null) throw new Error(`${program} has no output`);
  const lines = createInterface({ input: child.stdout });
  const [port] = (await once(lines, 'line', { signal: AbortSignal.timeout(20_000) })) as [string];
  return { url: `http://127.0.0.1:${port}`, pid, stop };
}

/**
 * Starts a bare server: the upstream, or the proxy before it.
 *
 * @param target - the upstream's address, for the proxy
 */
export const startBareServer = (target?: string): Promise<SideProcess> =>
  startServer('bare-servers.ts', target === undefined ? [] : [target]);

/** Starts what takes traces and forgets them: its address is an `OTEL_EXPORTER_OTLP_ENDPOINT`. */
export const startTraceSink = (): Promise<SideProcess> => startServer('discard-traces.ts');

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a gateway of its own before a bare upstream, with the platform's servers and keys: what it does to a request is then
 * all that differs from the bare proxy.
 */
export async function startGatewayBefore(
  upstream: string,
  { platform, gatewayEnv }: BenchPlatform,
  headers: Readonly<Record<string, string>>,
): Promise<SideProcess> {
  const [port, opsPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const env = {
    ...process.env,
    ...testLimits,
    PORT: String(port),
    OPS_PORT: String(opsPort),
    PUBLIC_URL: url,
    KAFKA_BROKERS: platform.urls.kafka,
    REDIS_URL: platform.urls.redis,
    AUTH_URL: platform.urls.auth,
    USER_URL: upstream,
    DATA_URL: upstream,
    LOG_LEVEL: 'info',
    ...gatewayEnv,
    CAUSEWAY_INTERNAL_KEY: randomBytes(24).toString('base64url'),
  };
  const preload = pathToFileURL(path.join(checkout, 'packages/telemetry/src/preload.ts')).href;
  const main = path.join(checkout, 'services/gateway/src/main.ts');
  const { child, pid, stop } = sideProcess(['--conditions=development', '--import', preload, main], env, url);
  // Its log goes where a log goes: it is read, and not looked at.
  child.stdout?.resume();
  await eventually(
    async () => {
      const response = await request(new URL('/v1/users/usr_0', url), { headers });
      await response.body.dump();
      if (response.statusCode !== 200) throw new Error(`the gateway answers ${response.statusCode}`);
    },
    { withinMs: 40_000, everyMs: 100 },
  );
  return { url, pid, stop };
}
