import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { newEventId, newId } from '@causeway/contracts';
import { call } from '../harness/client.ts';
import { eventually } from '../harness/eventually.ts';
import { accountEvent, publishAsAuth } from '../harness/foreign-events.ts';
import { profileOf, signUp } from '../harness/people.ts';
import { addressOf, platform } from '../harness/platform.ts';

const checkout = path.resolve(import.meta.dirname, '../../..');
const boundMs = 60_000;

interface Ended {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `npm run events -- …`, without npm. */
function events(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const own = {
    ...process.env,
    NO_COLOR: '1',
    CAUSEWAY_URL: addressOf('gateway'),
    CAUSEWAY_ADMIN_EMAIL: platform.adminEmail,
    CAUSEWAY_ADMIN_PASSWORD: platform.adminPassword,
    KAFKA_BROKERS: addressOf('kafka'),
    ...env,
  };
  const program = ['--conditions=development', 'packages/events/src/cli/cli.ts', ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, program, { cwd: checkout, env: own, timeout: boundMs }, (error, stdout, stderr) => {
      // One that was ended at its bound has no status.
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : Number.NaN;
      resolve({
        status,
        stdout,
        stderr: error?.killed === true ? `${stderr}\nnot ended within ${boundMs} ms` : stderr,
      });
    });
  });
}

async function done(args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await events(args);
  assert.equal(status, 0, `${args.join(' ')} ended with ${status}: ${stdout} ${stderr}`);
  return stdout;
}

const jsonLines = (text: string): Readonly<Record<string, unknown>>[] =>
  text
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);

describe('npm run events', () => {
  it('leads from a request to its events, and to what became of them', async () => {
    const person = await signUp();
    const account = `account/${person.id}`;
    const events = await Promise.all(
      person.events.map((id) => call('GET', `/v1/events/${id}`, { token: person.accessToken })),
    );
    const [first] = events.map((each) => each.json<{ id: string; correlationid: string; type: string }>());
    assert.ok(first);
    const listed = await eventually(async () => {
      const found = jsonLines(await done(['list', first.correlationid, '--json']));
      assert.ok(found.some(({ type }) => type === 'user.profile.created'));
      return found;
    });
    const created = listed.find(({ type }) => type === 'auth.account.created');
    const id = String(created?.id);
    assert.match(
      await done(['list', first.correlationid]),
      new RegExp(`auth\\.account\\.created +${account} +1 +${id}`),
    );
    assert.deepEqual(jsonLines(await done(['list', '--subject', account, '--json'])), [created]);
    const both = ['--type', 'auth.account.created,user.profile.created', '--json'];
    assert.deepEqual(
      jsonLines(await done(['list', first.correlationid, ...both])),
      listed.filter(({ type }) => ['auth.account.created', 'user.profile.created'].includes(String(type))),
    );
    assert.match(await done(['list', '--subject', account, '--type', 'auth.account.updated']), /^no events$/m);
    assert.match(await done(['show', id]), new RegExp(`subject +${account}`));
    const effects = await done(['effects', id, '--wait', '10s']);
    assert.match(effects, /user › create-profile done/);
    assert.match(effects, /^ {2}user\.profile\.created/m);
    assert.match(effects, /^complete$/m);
    const followed = await done(['tail', '--json', '--since', '5m', '--subject', account, '--count', '1']);
    assert.deepEqual(jsonLines(followed), [created]);
  });

  it('tells how far each service is behind', async () => {
    await eventually(
      async () => {
        const rows = jsonLines(await done(['lag', '--json']));
        const read = rows.map(({ service, topic, behind }) => `${String(service)} ${String(topic)} ${String(behind)}`);
        const places = ['auth auth', 'auth data', 'auth user', 'data auth', 'data data', 'user auth', 'user user'];
        assert.deepEqual(
          read.toSorted(),
          places.map((place) => `${place.replace(' ', ' causeway.')} 0`),
        );
        const own = rows.find(({ service }) => service === 'user');
        assert.ok((own?.handlers as string[]).includes('create-profile'), 'of what a service handles');
      },
      { everyMs: 500 },
    );
    assert.match(await done(['lag']), /user +causeway\.auth .*create-profile.* +\d/);
  });

  it('shows what is parked, redrives it and gives it up', async () => {
    const wrong = accountEvent(newId('usr'), 1, { accountId: 7 });
    await publishAsAuth([wrong]);
    const row = await eventually(async () => {
      const found = jsonLines(await done(['parked', '--json', '--service', 'user']));
      const own = found.find(({ eventId }) => eventId === wrong.id);
      assert.ok(own);
      return own;
    });
    assert.equal(row.handler, 'create-profile');
    assert.match(
      await done(['parked']),
      new RegExp(`user › create-profile +${wrong.subject} +${wrong.id} +1 +ContractViolation`),
    );
    // Parked at auth too, by whoever else takes it.
    for (const handler of ['append-audit', 'request-verification']) {
      const there = ['--service', 'auth', '--handler', handler];
      await eventually(async () => {
        const found = jsonLines(await done(['parked', '--json', ...there]));
        assert.ok(found.some(({ eventId }) => eventId === wrong.id));
      });
      const unclear = await events(['redrive', wrong.id]);
      assert.equal(unclear.status, 2);
      assert.match(unclear.stderr, /is parked at several handlers \([^)]*create-profile[^)]*\): say which/);
      await done(['discard', wrong.id, ...there, '--reason', 'Nobody did it.']);
    }
    assert.match(await done(['redrive', wrong.id, '--dry-run']), /1 events of 1 subjects; nothing has been done/);
    const vain = await events(['redrive', wrong.id]);
    assert.deepEqual(
      [vain.status, vain.stdout.trim()],
      [1, '0 redriven, 1 failed: they stay parked, with what is behind them'],
    );
    assert.match(
      await done(['discard', wrong.id, '--reason', 'No such producer.']),
      /^discarded; event [-\da-f]{36} says so$/m,
    );
    const again = await events(['discard', wrong.id, '--reason', 'No such producer.']);
    assert.deepEqual([again.status, again.stderr.trim()], [1, `${wrong.id} is not parked`]);
  });

  it('does not say that nothing is parked at a handler that nobody knows', async () => {
    const { status, stdout, stderr } = await events(['parked', '--handler', 'creat-profile']);
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /\(unknown-handler\)[^]*create-profile/);
    assert.equal((await done(['parked', '--handler', 'continue-removal'])).trim(), 'nothing is parked');
  });

  it('has handlers go through past events again', async () => {
    const person = await signUp();
    const { id } = person;
    await profileOf(person);
    await eventually(async () => {
      const dry = jsonLines(await done(['replay', '--service', 'user', '--since', '1h', '--dry-run', '--json']));
      assert.ok(Number(dry[0]?.events) > 0, id);
    });
    const asked = ['replay', '--service', 'user', '--handler', 'create-profile', '--since'];
    assert.match(
      await done([...asked, '1h', '--dry-run']),
      /it would be \d+ events, for create-profile; nothing has been done/,
    );
    assert.match(await done([...asked, '1h']), /^\d+ events: 0 had their effect, \d+ had had it/);
    const [whole] = jsonLines(
      await done([...asked, new Date(Date.now() - 60_000).toISOString(), '--rate', '9', '--json']),
    );
    assert.deepEqual([whole?.status, whole?.ratePerSecond, whole?.failed], ['ended', 9, 0]);
  });

  it('says what is wrong, and ends with what a script can tell apart', async () => {
    const cases: readonly (readonly [readonly string[], NodeJS.ProcessEnv, number, RegExp])[] = [
      [[], {}, 2, /^$/],
      [['--help'], {}, 0, /^$/],
      [['nonsense'], {}, 2, /there is no command nonsense[^]*usage:/],
      [['list'], {}, 2, /list needs the id of a request, --subject or --type/],
      [['list', 'x', 'y'], {}, 2, /list takes the id of a request/],
      [['list', '--subject', 'x'], {}, 1, /subject: Must be a thing and its id/],
      [['list', '--type', 'x'], {}, 1, /type: Must be a type such as auth\.account\.created/],
      [['show'], {}, 2, /show takes the id of an event/],
      [['parked', 'x'], {}, 2, /parked takes no argument/],
      [['parked', '--nonsense'], {}, 2, /'--nonsense'/],
      [['discard', newEventId()], {}, 2, /discard needs --reason/],
      [['redrive', newEventId(), '--rate', 'x'], {}, 2, /--rate is a whole number, not x/],
      [['tail', '--since', 'yesterday'], {}, 2, /--since is a number and s, m, h or d/],
      [['replay', '--service', 'user'], {}, 2, /replay needs --since/],
      [['replay', '--since', '1h'], {}, 2, /replay needs --service/],
      [['replay', '--service', 'user', '--since', 'yesterday'], {}, 2, /--since is a time, or how long ago/],
      [['replay', '--service', 'user', '--since', '2999-01-01T00:00:00Z'], {}, 1, /\/since: Must not be in the future/],
      [
        ['replay', '--service', 'user', '--since', '1h', '--handler', 'x'],
        {},
        1,
        /\(unknown-handler\)[^]*create-profile/,
      ],
      [['replay', '--service', 'x', '--since', '1h'], {}, 1, /\/service/],
      [['replay', '--stop', 'rpl_none'], {}, 1, /\(not-found\)/],
      [['rebuild', '--service', 'user'], {}, 2, /rebuild needs --service and --handler/],
      [['rebuild', '--service', 'user', '--handler', 'create-profile'], {}, 1, /\(no-projection\)/],
      [['swap'], {}, 2, /swap takes the id of a rebuild/],
      [['swap', 'rbd_none'], {}, 1, /\(not-found\)/],
      [['drop', 'rbd_none'], {}, 1, /\(not-found\)/],
      [['tail', '--service', 'x'], {}, 2, /--service is one of auth, user, data/],
      [['show', newEventId()], {}, 1, /\(not-found\)/],
      [['show', 'x'], {}, 1, /\(not-found\)/],
      [['parked'], { CAUSEWAY_URL: 'http://127.0.0.1:1' }, 1, /does not answer .*: is the platform running/],
      [['parked'], { CAUSEWAY_URL: 'nonsense' }, 2, /CAUSEWAY_URL is no http URL/],
      [
        ['parked'],
        { CAUSEWAY_URL: 'http://ada:hunter2@127.0.0.1:1' },
        2,
        /^(?![^]*hunter2)[^]*holds a name or a password/,
      ],
      [['parked'], { CAUSEWAY_TOKEN: 'hunter2\n' }, 2, /^(?![^]*hunter2)[^]*CAUSEWAY_TOKEN is no token/],
      [['parked'], { CAUSEWAY_TOKEN: 'nonsense' }, 1, /\(unauthenticated\)|\(invalid-token\)/],
      [['parked'], { CAUSEWAY_ADMIN_PASSWORD: 'wrong' }, 1, /\(invalid-credentials\)/],
      [['parked'], { CAUSEWAY_ADMIN_PASSWORD: undefined, CAUSEWAY_HOME: '/nowhere' }, 1, /nobody to sign in as/],
      [['lag'], { KAFKA_BROKERS: '127.0.0.1:1' }, 1, /Kafka does not answer at 127\.0\.0\.1:1/],
    ];
    const check = async ([args, env, status, words]: (typeof cases)[number]): Promise<void> => {
      const ended = await events(args, env);
      assert.equal(ended.status, status, `${args.join(' ')}: ${ended.stdout} ${ended.stderr}`);
      assert.match(ended.stderr, words, args.join(' '));
      assert.doesNotMatch(ended.stderr, /^ +at /m, 'no stack');
    };
    // Each is a process: a few at a time.
    const waiting = cases.values();
    const worker = async (): Promise<void> => {
      for (const each of waiting) await check(each);
    };
    await Promise.all(Array.from({ length: 4 }, worker));
  });
});
