import { connect } from 'node:net';
import { loopback } from '../processes/ports.ts';

/**
 * @returns when something accepts a connection on the port; drivers retry by themselves, and would be slower to notice
 * @throws Error when nothing does
 */
export function assertListens(port: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: loopback, signal });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
  });
}

/** @returns an address with the password taken out, fit to be printed */
export function withoutPassword(address: string): string {
  return address.replace(/(\/\/[^:/@]*):[^@/]*@/, '$1:***@');
}

/**
 * @param address - a MongoDB connection string, with any number of hosts, which is why it is no WHATWG URL
 * @param database - the database that the path is to name
 * @returns the same address for that database; credentials are still checked where they were before
 */
export function mongodbAddressFor(address: string, database: string): string {
  const match = /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/([^?]*))?(?:\?(.*))?$/.exec(address);
  if (match === null) return address;
  const [, hosts = '', before = '', query = ''] = match;
  const options = new URLSearchParams(query);
  // Without authSource the database of the path is where the user is looked up; otherwise `admin`.
  if (hosts.includes('@') && !options.has('authSource')) options.set('authSource', before === '' ? 'admin' : before);
  const text = options.toString();
  return `${hosts}/${database}${text === '' ? '' : `?${text}`}`;
}
