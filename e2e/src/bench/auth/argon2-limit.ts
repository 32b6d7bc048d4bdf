// What the machine itself reaches: argon2id of a password that is checked, with the parameters that auth uses, as many at once as
// auth lets run. Told by its input, tells by its last line.
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { json } from 'node:stream/consumers';
import { hash, verify } from '@node-rs/argon2';
import { countWhile, type Span } from './count-while.ts';

const { concurrency, ...span } = (await json(process.stdin)) as Span & { readonly concurrency: number };
const password = `password-${randomUUID()}`;
const encoded = await hash(password, { memoryCost: 19 * 1024, timeCost: 2, parallelism: 1, outputLen: 32 });
const perSecond = await countWhile(span, concurrency, async () => {
  if (!(await verify(encoded, password))) throw new Error('a password that was hashed is not recognised');
});
console.log(JSON.stringify({ perSecond }));
