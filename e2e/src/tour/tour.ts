// `npm run tour`: a real data set goes through the running platform, told to the person who watches. Exits with 1 when
// anything is not as it should be. `-- --keep` leaves the collection there.
import { randomBytes, randomUUID } from 'node:crypto';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Api, type OpenFeed, type Received } from './api.ts';
import { allCountries, countriesDefinition, type Country } from './countries.ts';
import { type Effects, effectsPicture, type ShownEvent } from './effects-picture.ts';
import { bold, dim, green, Narrator, red } from './narrator.ts';
import { findRunningPlatform, type RunningPlatform } from './running-platform.ts';

type StoredCountry = Country & { readonly id: string; readonly revision: number; readonly note?: string };

interface SignedIn {
  readonly account: { readonly id: string };
  readonly accessToken: string;
}

const { values: options } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
const narrator = new Narrator();
const platform = platformOrExit();
const api = new Api(platform.url, narrator);
const collection = `countries-${randomBytes(3).toString('hex')}`;
const records = `/v1/data/${collection}`;

function platformOrExit(): RunningPlatform {
  try {
    return findRunningPlatform();
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

/** @returns the answer, whose status has been checked */
async function expecting(status: number, what: string, answer: Promise<Received>): Promise<Received> {
  const received = await answer;
  narrator.check(received.status === status, what);
  if (received.status !== status) throw new Error(`${received.status}: ${JSON.stringify(received.body)}`);
  return received;
}

/** It is on its way: who asks is told 503 where that takes longer than they are made to wait. */
async function profileOf({ accessToken: token }: SignedIn): Promise<Received> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const answer = await api.call('GET', '/v1/users/me', { token });
    if (answer.status !== 503 || performance.now() > deadline) return answer;
    await wait(500 + 500 * Math.random());
  }
}

async function signUpSomebody(): Promise<{ readonly person: SignedIn; readonly answer: Received }> {
  narrator.chapter('Somebody signs up');
  const json = { email: `ada-${randomUUID()}@example.com`, password: randomUUID(), name: 'Ada Lovelace' };
  const answer = await expecting(201, 'signed up, and signed in', api.call('POST', '/v1/auth/sign-up', { json }));
  const person = answer.body as SignedIn;
  const profile = await profileOf(person);
  narrator.check(
    (profile.body as { id?: string }).id === person.account.id,
    'the user service has made a profile of it, from the event that the auth service recorded',
  );
  return { person, answer };
}

async function defineTheCollection(): Promise<string> {
  narrator.chapter('An administrator defines a collection');
  const json = { email: platform.adminEmail, password: platform.adminPassword };
  const { body } = await expecting(200, 'signed in as administrator', api.call('POST', '/v1/auth/sign-in', { json }));
  const token = (body as SignedIn).accessToken;
  const definition = api.call('PUT', `/v1/collections/${collection}`, { token, json: countriesDefinition });
  await expecting(
    201,
    `a schema, ${countriesDefinition.indexes.length} indexes, and rules for who may do what`,
    definition,
  );
  return token;
}

async function importTheCountries(token: string): Promise<OpenFeed> {
  narrator.chapter(`${allCountries.length} countries go in, and come out of the feed`);
  const feed = await api.feed(`${records}/changes`, { token });
  const body = allCountries.map((country) => JSON.stringify(country)).join('\n');
  const startedAt = performance.now();
  const sent = { token, body, type: 'application/x-ndjson', headers: { 'idempotency-key': randomUUID() } };
  const imported = await api.call('POST', records, sent);
  const { created, failed } = imported.body as { created: number; failed: number };
  narrator.check(created === allCountries.length && failed === 0, `${created} created, ${failed} failed`);
  const changes = await feed.until(allCountries.length);
  const lastMs = Math.round((changes.at(-1)?.readAt ?? startedAt) - startedAt);
  const seen = changes.map((change) => (JSON.parse(change.data ?? '{}') as { record?: Country }).record);
  narrator.say(
    dim(
      `${seen
        .slice(0, 12)
        .map((country) => country?.flag)
        .join(' ')} … the last one ${lastMs} ms after the import began`,
    ),
  );
  narrator.check(changes.length === allCountries.length, `${changes.length} events in the feed`);
  const codes = new Set(seen.map((country) => country?.cca3));
  narrator.check(
    allCountries.every(({ cca3 }) => codes.has(cca3)),
    'each country once, as it was sent',
  );
  narrator.check(
    changes.every((change) => change.event === 'created'),
    'all of them created',
  );
  return feed;
}

async function askQuestions(): Promise<void> {
  narrator.chapter('Questions, asked by somebody who is not signed in');
  const ask = async (
    what: string,
    filter: object,
    query: Readonly<Record<string, string>>,
    truth: readonly Country[],
  ) => {
    narrator.say(bold(what));
    const answer = await api.call('GET', records, { query: { filter: JSON.stringify(filter), ...query } });
    const items = (answer.body as { items?: readonly StoredCountry[] }).items ?? [];
    const rows = items.map(
      ({ flag, name, capital, area }) => [`${flag}  ${name.common}`, capital[0] ?? '', area] as const,
    );
    narrator.table([['country', 'capital', 'km²'], ...rows]);
    const same = items.map((each) => each.cca3).join() === truth.map((each) => each.cca3).join();
    narrator.check(same, 'as the data set itself has it');
  };
  const byArea = [...allCountries].sort((left, right) => right.area - left.area);
  const african = byArea.filter(({ region }) => region === 'Africa').slice(0, 5);
  await ask('The five largest countries of Africa?', { region: 'Africa' }, { sort: '-area', limit: '5' }, african);
  const neighbours = byArea.filter(({ borders }) => borders.includes('FRA'));
  await ask('Which countries border France?', { borders: 'FRA' }, { sort: '-area' }, neighbours);
}

async function raceForFrance(token: string, otherToken: string, feed: OpenFeed): Promise<void> {
  narrator.chapter('Two people edit France, and one of them has to look again');
  const found = await api.call('GET', records, { query: { filter: JSON.stringify({ cca3: 'FRA' }) } });
  const [france] = (found.body as { items: StoredCountry[] }).items;
  if (france === undefined) throw new Error('France is not there');
  const path = `${records}/${france.id}`;
  const { headers } = await api.call('GET', path);
  const ifMatch = String(headers.etag);
  const edit = (who: string, note: string) =>
    api.call('PATCH', path, {
      token: who,
      type: 'application/merge-patch+json',
      json: { note },
      headers: { 'if-match': ifMatch },
    });
  narrator.say(dim(`both have read revision ${ifMatch}, and say so: If-Match: ${ifMatch}`));
  const won = await expecting(200, 'the first edit is taken', edit(token, 'Edited on the tour'));
  narrator.check((won.body as StoredCountry).revision === france.revision + 1, 'France has the next revision');
  const lost = await expecting(412, 'the second is refused: it would have undone the first', edit(otherToken, 'Lost'));
  narrator.say(dim(`“${String((lost.body as { title?: string }).title)}”`));
  const now = (await api.call('GET', path)).body as StoredCountry;
  narrator.check(now.note === 'Edited on the tour', 'what the winner wrote is there');
  const change = (await feed.until(allCountries.length + 1)).at(-1);
  narrator.check(
    change?.event === 'updated' && change.data?.includes(france.id) === true,
    'the feed has told of it, once',
  );
}

async function followTheSignUp(answer: Received, token: string): Promise<void> {
  narrator.chapter('One write, followed from its request to every effect');
  const correlationId = String(answer.headers['x-request-id']);
  const ids = String(answer.headers['causeway-event']).split(', ');
  const roots: Effects[] = [];
  for (const id of ids) {
    const effects = await api.call('GET', `/v1/events/${id}/effects`, { token, query: { wait: '10s' } });
    roots.push(effects.body as Effects);
  }
  // Once all is done: the effects are events of the request too.
  const listed = await api.call('GET', '/v1/events', { token, query: { correlationId } });
  narrator.say();
  narrator.say(effectsPicture(`POST /v1/auth/sign-up ${correlationId}`, roots));
  narrator.say();
  narrator.check(
    roots.every(({ complete }) => complete),
    'every handler of every event is done: the write is complete',
  );
  const drawn = (effects: readonly Effects[]): ShownEvent[] =>
    effects.flatMap((each) => [each.event, ...drawn(each.caused)]);
  const events = drawn(roots)
    .map((event) => event.type)
    .sort();
  const expected = ['auth.account.created', 'auth.session.started', 'user.profile.created'];
  narrator.check(
    expected.every((type) => events.includes(type)),
    'account, session and profile are all there',
  );
  const inList = (listed.body as { items?: unknown[] }).items?.length;
  narrator.check(inList === events.length, 'the list of events of that request has the same ones');
}

async function leave(person: SignedIn, adminToken: string): Promise<void> {
  narrator.chapter('Leaving');
  const token = person.accessToken;
  await expecting(204, 'signed out', api.call('POST', '/v1/auth/sign-out', { token }));
  const deadline = performance.now() + 1000;
  let refused: Received;
  do refused = await api.call('GET', '/v1/users/me', { token });
  while (refused.status !== 401 && performance.now() < deadline);
  narrator.check(refused.status === 401, 'within a second, the token is refused everywhere');
  if (options.keep) {
    narrator.say(`the collection stays: ${platform.url}${records}`);
    return;
  }
  const removal = api.call('DELETE', `/v1/collections/${collection}`, {
    token: adminToken,
    query: { records: 'delete' },
  });
  await expecting(204, 'the collection is removed, with an event for each record', removal);
}

async function tour(): Promise<void> {
  console.log(`${bold('A tour of Causeway')} ${dim(platform.url)}`);
  const { person, answer } = await signUpSomebody();
  const adminToken = await defineTheCollection();
  const feed = await importTheCountries(person.accessToken);
  await askQuestions();
  await raceForFrance(person.accessToken, adminToken, feed);
  feed.close();
  await followTheSignUp(answer, adminToken);
  await leave(person, adminToken);
  narrator.say();
  api.tellConformance();
}

const startedAt = performance.now();
try {
  await tour();
} catch (error) {
  narrator.check(false, `the tour has ended early: ${error instanceof Error ? error.message : String(error)}`);
}
const { failures, checks } = narrator;
const took = dim(`${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
if (failures.length === 0) console.log(`\n${green(`✔ ${checks} of ${checks} as it should be`)} ${took}`);
else console.log(`\n${red(`✖ ${failures.length} of ${checks} not as it should be`)} ${took}`);
// An open connection would keep the process for its keep-alive.
process.exit(failures.length === 0 ? 0 : 1);
