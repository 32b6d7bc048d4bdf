import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';

/** A mail that was taken. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: string;
  /** Headers, an empty line, and the body, as they came. */
  readonly source: string;
  /** Without angle brackets. */
  readonly messageId: string;
}

/** A mail server that takes what it is told to take. */
export interface TestSmtpServer {
  readonly port: number;
  readonly received: readonly ReceivedMail[];
  /** How often somebody has come as far as naming a recipient. */
  readonly recipients: readonly string[];
  /** In place of yes, to `RCPT TO` and the end of `DATA`; once for each in the list, then yes again. */
  readonly answers: string[];
  /** Called when a mail has come, before it is said that it was taken. */
  onMail: () => Promise<void>;
  close(): Promise<void>;
}

const addressIn = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? '';

/** Speaks as much of SMTP (RFC 5321) as a client needs that has one mail. */
const serve = async (
  socket: Socket,
  server: TestSmtpServer & { readonly received: ReceivedMail[]; readonly recipients: string[] },
) => {
  const say = (line: string): boolean => socket.write(`${line}\r\n`);
  let [from, to, data] = ['', '', undefined as string[] | undefined];
  say('220 test');
  for await (const line of createInterface({ input: socket, crlfDelay: Infinity })) {
    if (data !== undefined && line !== '.') {
      data.push(line.replace(/^\.\./, '.'));
    } else if (data !== undefined) {
      const source = data.join('\n');
      data = undefined;
      await server.onMail();
      const messageId = /^Message-ID: <(.*)>$/im.exec(source)?.[1] ?? '';
      server.received.push({ from, to, source, messageId });
      say('250 taken');
    } else if (/^(?:EHLO|HELO)/i.test(line)) {
      say('250-test');
      say('250 SMTPUTF8');
    } else if (/^MAIL FROM/i.test(line)) {
      from = addressIn(line);
      say('250 yes');
    } else if (/^RCPT TO/i.test(line)) {
      to = addressIn(line);
      server.recipients.push(to);
      say(server.answers.shift() ?? '250 yes');
    } else if (/^DATA/i.test(line)) {
      data = [];
      say('354 go on');
    } else if (/^QUIT/i.test(line)) {
      say('221 bye');
      socket.end();
    } else say('502 no');
  }
};

/** @param port - any that is free if not given */
export async function openTestSmtpServer(port = 0): Promise<TestSmtpServer> {
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    serve(socket, server).catch(() => socket.destroy());
  });
  listener.listen(port, '127.0.0.1');
  await once(listener, 'listening');
  const server = {
    port: (listener.address() as AddressInfo).port,
    received: [] as ReceivedMail[],
    recipients: [] as string[],
    answers: [] as string[],
    onMail: () => Promise.resolve(),
    async close() {
      for (const socket of sockets) socket.destroy();
      listener.close();
      await once(listener, 'close');
    },
  };
  return server;
}
