// One replica of one branch of the bank.
import type { Cause, EventEnvelope } from '@causeway/contracts';
import { createEvents, draft, onEvent, type Events, type RecordedCollection } from '@causeway/events';
import { serveReplica, type CommandArgs, type ReplicaContext } from '@causeway/events/faults';
import type { ClientSession } from 'mongodb';
import {
  accountEvents,
  accountsCollection,
  balancesCollection,
  branches,
  receiptFrom,
  receiptsCollection,
  statementsCollection,
  talliesCollection,
  type AccountDocument,
  type Branch,
  type CountDocument,
} from './accounts.ts';

const partitions = 4;

/** From the confirmation to the receipt. */
const receiptMs = 300;

interface Transfer {
  readonly transferId: string;
  readonly from: { readonly branch: Branch; readonly account: string };
  readonly to: { readonly branch: Branch; readonly account: string };
  readonly amount: number;
}

const transferOf = ({ transferId, from, to, amount }: Transfer): Transfer => ({ transferId, from, to, amount });

await serveReplica(({ options, observe }: ReplicaContext) => {
  const branch = options.service as Branch;
  const own = accountEvents(branch);
  const everyones = branches.map(accountEvents);
  // Handlers are declared before the collection that they write to.
  const accounts = (): RecordedCollection<AccountDocument> => opened;

  const deposit = onEvent.transaction({
    name: 'deposit',
    on: everyones.map(({ withdrawn }) => withdrawn),
    async handle(event, { cause, session }) {
      const transfer = transferOf(event.data);
      if (transfer.to.branch !== branch) return;
      await accounts().update(
        cause,
        transfer.to.account,
        ({ balance, underWay }) => {
          const state = { balance: balance + transfer.amount, underWay };
          return { state, event: draft(own.deposited, { ...transfer, balance: state.balance }) };
        },
        { session },
      );
    },
  });

  const confirm = onEvent.transaction({
    name: 'confirm',
    on: everyones.map(({ deposited }) => deposited),
    async handle(event, { cause, session }) {
      const transfer = transferOf(event.data);
      if (transfer.from.branch !== branch) return;
      await accounts().update(
        cause,
        transfer.from.account,
        ({ balance, underWay: { [transfer.transferId]: _, ...underWay } }) => ({
          state: { balance, underWay },
          event: draft(own.confirmed, { ...transfer, balance }),
        }),
        { session },
      );
      const { transferId, amount } = transfer;
      if (amount < receiptFrom) return;
      const data = { transferId, account: transfer.from.account, amount };
      await events.schedule(cause, { contract: own.receiptDue, data, afterMs: receiptMs }, { session });
    },
  });

  const addUp = async (collection: string, of: string, amount: number, session: ClientSession): Promise<void> => {
    const counts = events.db.collection<CountDocument>(collection);
    await counts.updateOne({ _id: of }, { $inc: { times: 1, amount } }, { upsert: true, session });
  };

  const addStatements = onEvent.batch({
    name: 'add-statements',
    on: [own.withdrawn, own.deposited],
    async handle(batch, { session }) {
      for (const { type, subject, data } of batch)
        await addUp(
          statementsCollection,
          `${subject} ${type === own.withdrawn.type ? 'out' : 'in'}`,
          data.amount,
          session,
        );
    },
  });

  const tally = onEvent.transaction({
    name: 'tally',
    order: 'commutative',
    on: [own.confirmed],
    // A row for each: several of one account come beside each other.
    handle: ({ data: { transferId, amount } }, { session }) => addUp(talliesCollection, transferId, amount, session),
  });

  const writeReceipt = onEvent.transaction({
    name: 'write-receipt',
    on: [own.receiptDue],
    handle: ({ data: { account, amount } }, { session }) => addUp(receiptsCollection, account, amount, session),
  });

  const copyBalances = onEvent.projection({
    name: 'copy-balances',
    on: everyones.flatMap(({ opened, withdrawn, deposited, confirmed }) => [opened, withdrawn, deposited, confirmed]),
    collection: balancesCollection,
    project: ({ source, subject, data }) => ({ _id: `${source}/${subject}`, set: { balance: data.balance } }),
  });

  /** Tells somebody outside, who keeps the idempotency keys: the suite's own journal. */
  const notify = onEvent.external({
    name: 'notify',
    on: everyones.map(({ confirmed }) => confirmed),
    handle: () => Promise.resolve(),
  });

  const events: Events = createEvents({
    ...options,
    partitions,
    handlers: observe([deposit, confirm, addStatements, tally, writeReceipt, copyBalances, notify]),
  });
  const opened = events.collection<AccountDocument>(accountsCollection, { thing: 'account' });

  const open = async (cause: Cause, args: CommandArgs): Promise<EventEnvelope[]> => {
    const { account, balance } = args as { account: string; balance: number };
    if ((await opened.native.findOne({ _id: account })) !== null) return [];
    const state = { balance, underWay: {} };
    return [(await opened.create(cause, { _id: account, state, event: draft(own.opened, { balance }) })).event];
  };

  const transfer = async (cause: Cause, args: CommandArgs): Promise<EventEnvelope[]> => {
    const wanted = args as unknown as Transfer;
    const written = await opened.update(cause, wanted.from.account, ({ balance, underWay }) => {
      if (balance < wanted.amount) return undefined;
      const state = {
        balance: balance - wanted.amount,
        underWay: { ...underWay, [wanted.transferId]: wanted.amount },
      };
      return { state, event: draft(own.withdrawn, { ...transferOf(wanted), balance: state.balance }) };
    });
    return written?.event === undefined ? [] : [written.event];
  };

  return { events, commands: { open, transfer } };
});
