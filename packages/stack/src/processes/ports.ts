import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import process from 'node:process';
import { codeOf } from '../stack-error.ts';
import { commandOf } from './process-table.ts';

/** Everything embedded listens on the loopback interface alone. */
export const loopback = '127.0.0.1';

export interface PortOwner {
  readonly pid: number;
  readonly command: string;
}

/** True when nobody listens on the port of the loopback interface. */
export async function isPortFree(port: number): Promise<boolean> {
  try {
    await close(await listen(port));
    return true;
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') return false;
    throw error;
  }
}

/** @returns that many ports that nobody used a moment ago, all different */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
    return address.port;
  });
  await Promise.all(servers.map(close));
  return ports;
}

/** @returns who listens on a port, or `undefined` where the system does not let us see it (another user's process) */
export function portOwner(port: number): PortOwner | undefined {
  const pid = process.platform === 'linux' ? (procOwner(port) ?? lsofOwner(port)) : lsofOwner(port);
  return pid === undefined ? undefined : { pid, command: commandOf(pid) ?? 'unknown' };
}

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: loopback, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

/** @returns the inodes of the sockets that listen on a port, out of the text of `/proc/net/tcp` or `/proc/net/tcp6` */
export function listeningInodes(table: string, port: number): string[] {
  const hexPort = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes: string[] = [];
  for (const line of table.split('\n').slice(1)) {
    // sl local_address rem_address st tx:rx tr:when retrnsmt uid timeout inode; state 0A is LISTEN (proc_pid_net(5)).
    const columns = line.trim().split(/\s+/);
    const [local, state, inode] = [columns[1], columns[3], columns[9]];
    if (state === '0A' && inode !== undefined && local?.endsWith(hexPort)) inodes.push(inode);
  }
  return inodes;
}

function procOwner(port: number): number | undefined {
  const inodes = ['tcp', 'tcp6'].flatMap((table) => listeningInodes(readOr(`/proc/net/${table}`, ''), port));
  const sockets = new Set(inodes.map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  for (const pid of listOr('/proc').filter((name) => /^\d+$/.test(name))) {
    if (listOr(`/proc/${pid}/fd`).some((fd) => sockets.has(linkOr(`/proc/${pid}/fd/${fd}`)))) return Number(pid);
  }
  return undefined;
}

function lsofOwner(port: number): number | undefined {
  const lsof = spawnSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fp'], { encoding: 'utf8', timeout: 5000 });
  const pid = /^p(\d+)$/m.exec(lsof.status === 0 ? lsof.stdout : '')?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function readOr(file: string, fallback: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return fallback;
  }
}

function listOr(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function linkOr(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}
