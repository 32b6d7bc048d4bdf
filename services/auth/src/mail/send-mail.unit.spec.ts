import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import type { MailDocument } from './mail.model.ts';
import { MailNotTaken } from './mail-transport.ts';
import type { RenderedMail } from './mail-transport.ts';
import { createSendMail } from './send-mail.ts';
import type { SendMailDependencies } from './send-mail.ts';

const cause = { correlationId: 'c', causationId: 'e', principal: { type: 'system' } } as const;
const mail: Partial<MailDocument> = {
  ...{ _id: 'mal_1', to: 'ada@example.com', template: 'refresh-reused', params: { endedAt: 'today' } },
  ...{ status: 'queued', attempts: 0 },
};

/** A mail in a world without a database. */
const open = (given: { row?: Partial<MailDocument> | null; send?: () => Promise<void>; leased?: boolean } = {}) => {
  let { row = mail } = given;
  const sent: RenderedMail[] = [];
  const recorded: string[] = [];
  const scheduled: unknown[] = [];
  const returned: string[] = [];
  const update = (_cause: unknown, _id: string, decide: (current: MailDocument) => unknown) => {
    const decision = decide(row as MailDocument) as { state: MailDocument; event: { contract: { type: string } } };
    if ((decision as unknown) === undefined) return Promise.resolve({ document: row });
    row = { ...row, ...decision.state };
    recorded.push(decision.event.contract.type);
    return Promise.resolve({ document: row, event: {} });
  };
  const sendMail = createSendMail({
    linkOf: (proofId) => Promise.resolve(proofId === 'prf_open' ? 'https://example.com/l' : undefined),
    mails: { native: { findOne: () => Promise.resolve(row) }, update } as unknown as SendMailDependencies['mails'],
    events: {
      schedule: (_cause: unknown, { contract: _contract, ...rest }: { contract: unknown }) =>
        Promise.resolve(scheduled.push(rest)),
      transaction: (work: (session: unknown) => Promise<void>) => work({}),
    } as unknown as SendMailDependencies['events'],
    leases: {
      take: (id) => Promise.resolve(given.leased === true ? undefined : () => Promise.resolve(void returned.push(id))),
      forget: () => Promise.resolve(),
    },
    transport: {
      async send(rendered) {
        sent.push(rendered);
        await given.send?.();
      },
    },
    render: (name, values) => ({ subject: name, text: JSON.stringify(values), html: '' }),
    ...{ site: 'example.com', delaysMs: [1_000], now: () => new Date(0), logger: { warn: () => undefined } },
  });
  const run = (attempt = 1, signal = new AbortController().signal) =>
    sendMail(cause, { mailId: 'mal_1', attempt, signal });
  return { run, sent, recorded, scheduled, returned };
};

const later = () => Promise.reject(new MailNotTaken('answer-451', { forGood: false }));

void describe('sending a mail', () => {
  it('hands over what the template says, under the id of the mail', async () => {
    const { run, sent, recorded, returned } = open();
    await run();
    const text = JSON.stringify({ endedAt: 'today', link: '', email: 'ada@example.com', site: 'example.com' });
    assert.deepEqual(sent, [{ id: 'mal_1', to: 'ada@example.com', subject: 'refresh-reused', text, html: '' }]);
    assert.deepEqual([recorded, returned], [['auth.mail.sent'], ['mal_1']]);
  });

  it('makes the link when it is sent, and sends nothing that would open nothing', async () => {
    const open1 = open({ row: { ...mail, proofId: 'prf_open' } });
    await open1.run();
    assert.match(open1.sent[0]?.text ?? '', /"link":"https:\/\/example\.com\/l"/);
    const over = open({ row: { ...mail, proofId: 'prf_over' } });
    await over.run();
    assert.deepEqual([over.sent, over.recorded], [[], ['auth.mail.withdrawn']]);
  });

  it('does nothing for an event that comes again, once the attempt has been made or the mail is over', async () => {
    for (const row of [
      { ...mail, attempts: 1 },
      { ...mail, attempts: 2 },
      { ...mail, status: 'sent' as const },
      null,
    ]) {
      const { run, sent, recorded, scheduled } = open({ row });
      await run();
      assert.deepEqual([sent, recorded, scheduled], [[], [], []]);
    }
  });

  it('leaves it to a replica that is at it, and looks again when that must be done or dead', async () => {
    const { run, sent, scheduled } = open({ leased: true });
    await run();
    assert.deepEqual(sent, []);
    assert.deepEqual(scheduled, [
      { data: { mailId: 'mal_1', attempt: 1 }, afterMs: 60_000, key: 'mail/mal_1/1/again', about: 'mail/mal_1' },
    ]);
  });

  it('schedules one next attempt for each that is put off', async () => {
    const { run, recorded, scheduled, returned } = open({ send: later });
    await run();
    await run();
    const [{ afterMs, ...next } = {} as { afterMs: number }, ...others] = scheduled as { afterMs: number }[];
    assert.deepEqual(next, { data: { mailId: 'mal_1', attempt: 2 }, key: 'mail/mal_1/2', about: 'mail/mal_1' });
    assert.ok(afterMs >= 1_000 && afterMs <= 1_250);
    assert.deepEqual([others, recorded, returned], [[], ['auth.mail.deferred'], ['mal_1']]);
    await run(2);
    assert.deepEqual(recorded, ['auth.mail.deferred', 'auth.mail.failed']);
  });

  it('is not over for a service that stops: whoever takes the event over sends it', async () => {
    const stopping = new AbortController();
    const send = (): Promise<void> => {
      stopping.abort(new Error('stopping'));
      return later();
    };
    const { run, recorded, scheduled, returned } = open({ send });
    await assert.rejects(run(1, stopping.signal), /stopping/);
    assert.deepEqual([recorded, scheduled, returned], [[], [], ['mal_1']]);
  });

  it('that breaks off for another reason than the mail server counts as no attempt', async () => {
    const { run, recorded } = open({ send: () => Promise.reject(new Error('MongoDB is away')) });
    await assert.rejects(run(), /MongoDB is away/);
    assert.deepEqual(recorded, []);
  });
});
