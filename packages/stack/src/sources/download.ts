import { createWriteStream } from 'node:fs';
import { Agent as HttpAgent, get as getHttp, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, get as getHttps } from 'node:https';
import process from 'node:process';
import { pipeline } from 'node:stream/promises';
import { wordsOf } from '../stack-error.ts';
import { Unavailable } from './source.ts';

/** A source that has not connected by then is passed over. */
const connectTimeoutMs = 5000;
/** A server that has accepted, and then says nothing for so long, is passed over too. */
const silenceTimeoutMs = 60_000;
const mostRedirects = 5;

// Proxies are those of the environment (HTTPS_PROXY, NO_PROXY), as with every other tool that downloads.
const proxyEnv = process.env;
const agents = { 'http:': new HttpAgent({ proxyEnv }), 'https:': new HttpsAgent({ proxyEnv }) };

/**
 * Downloads a file.
 *
 * @param onBytes - told how many bytes there are so far
 * @throws Unavailable when the host does not connect within 5 s, falls silent, or does not answer 200
 */
export async function download(url: string, file: string, onBytes: (bytes: number) => void): Promise<void> {
  await answered(url, async (response) => {
    let bytes = 0;
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      onBytes(bytes);
    });
    await pipeline(response, createWriteStream(file));
  });
}

/** @returns the body of a small text resource; throws as `download` does */
export async function downloadText(url: string, accept: string): Promise<string> {
  return answered(
    url,
    async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('utf8');
    },
    accept,
  );
}

async function answered<T>(
  url: string,
  read: (response: IncomingMessage) => Promise<T>,
  accept = '*/*',
  redirects = 0,
): Promise<T> {
  const { host } = new URL(url);
  try {
    const response = await open(new URL(url), accept);
    const { location } = response.headers;
    const status = response.statusCode ?? 0;
    if (status >= 300 && status < 400 && location !== undefined && redirects < mostRedirects) {
      response.resume();
      return await answered(new URL(location, url).href, read, accept, redirects + 1);
    }
    if (status !== 200) {
      response.resume();
      throw new Unavailable(`${host} answers ${status} for ${new URL(url).pathname}`);
    }
    return await read(response);
  } catch (error) {
    throw error instanceof Unavailable ? error : new Unavailable(`${host} cannot be reached: ${wordsOf(error)}`);
  }
}

function open(url: URL, accept: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = { headers: { accept, 'user-agent': 'causeway-stack' }, timeout: silenceTimeoutMs };
    const request =
      url.protocol === 'http:'
        ? getHttp(url, { ...options, agent: agents['http:'] })
        : getHttps(url, { ...options, agent: agents['https:'] });
    const connecting = setTimeout(() => {
      request.destroy(new Error(`no connection within ${connectTimeoutMs / 1000} s`));
    }, connectTimeoutMs);
    request.once('socket', (socket) => {
      if (!socket.connecting) clearTimeout(connecting);
      socket.once(url.protocol === 'http:' ? 'connect' : 'secureConnect', () => clearTimeout(connecting));
    });
    request.once('timeout', () => request.destroy(new Error(`silent for ${silenceTimeoutMs / 1000} s`)));
    request.once('error', (error) => {
      clearTimeout(connecting);
      reject(error);
    });
    request.once('response', (response) => {
      clearTimeout(connecting);
      resolve(response);
    });
  });
}
