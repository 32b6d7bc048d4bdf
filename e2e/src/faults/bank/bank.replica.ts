// One replica of one branch of the bank.
import type { Cause, EventEnvelope } from '@causeway/contracts';
import { createEvents, draft, onEvent, type RecordedCollection } from '@causeway/events';
import { serveReplica, type CommandArgs, type ReplicaContext } from '@causeway/events/faults';
import {
  accountEvents,
  accountsCollection,
  balancesCollection,
  branches,
  type AccountDocument,
  type Branch,
} from './accounts.ts';

const partitions = 4;

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
    },
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

  const events = createEvents({
    ...options,
    partitions,
    handlers: observe([deposit, confirm, copyBalances, notify]),
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
