import type { Db } from 'mongodb';
import type { Command, FaultsOptions, Random, Workload } from '@causeway/events/faults';
import {
  accountsCollection,
  balancesCollection,
  branches,
  receiptsCollection,
  statementsCollection,
  talliesCollection,
  type AccountDocument,
  type Branch,
  type CountDocument,
} from './accounts.ts';

/** How large the bank is. */
export interface BankOptions {
  /** Of each branch: fewer of them meet more often. */
  readonly accounts: number;
  readonly startBalance: number;
  readonly replicas: number;
}

/** Accounts enough that they are seldom written at the same moment, and few enough that each is written often. */
const usual: BankOptions = { accounts: 16, startBalance: 1_000, replicas: 2 };

const countsOf = async (db: Db, collection: string): Promise<Map<string, CountDocument>> => {
  const rows = await db.collection<CountDocument>(collection).find().sort({ _id: 1 }).toArray();
  return new Map(rows.map((row) => [row._id, row]));
};

const none = { times: 0, amount: 0 };

const sumOf = (counts: ReadonlyMap<string, CountDocument>, key: 'times' | 'amount'): number =>
  [...counts.values()].reduce((sum, each) => sum + each[key], 0);

/** What handlers have added up: statements say how balances came about, all that went out has arrived, each timer has its receipt. */
const verifyCounts = async (db: Db, branch: Branch, startBalance: number): Promise<string[]> => {
  const wrong: string[] = [];
  let [left, leftAmount] = [0, 0];
  const statements = await countsOf(db, statementsCollection);
  const tallies = await countsOf(db, talliesCollection);
  for await (const { _id, balance } of db.collection<AccountDocument>(accountsCollection).find()) {
    const out = statements.get(`account/${_id} out`) ?? none;
    const stated = startBalance + (statements.get(`account/${_id} in`) ?? none).amount - out.amount;
    if (stated !== balance) wrong.push(`${branch} states ${stated} for ${_id}, it has ${balance}`);
    left += out.times;
    leftAmount += out.amount;
  }
  const [arrived, arrivedAmount] = [sumOf(tallies, 'times'), sumOf(tallies, 'amount')];
  if (arrived !== left || arrivedAmount !== leftAmount)
    wrong.push(`${left} transfers of ${leftAmount} have left ${branch}, ${arrived} of ${arrivedAmount} are tallied`);
  const receipts = sumOf(await countsOf(db, receiptsCollection), 'times');
  const timers = db.collection('timers');
  const waiting = await timers.countDocuments({ status: 'scheduled' });
  const released = await timers.countDocuments({ status: 'released' });
  if (waiting > 0) wrong.push(`${waiting} timers of ${branch} were never released`);
  if (released !== receipts) wrong.push(`${branch} has released ${released} timers, and has ${receipts} receipts`);
  return wrong;
};

/** Money moves between accounts of different branches, and none of it may appear or vanish. */
export function bank({ accounts, startBalance, replicas }: BankOptions = usual): Pick<
  FaultsOptions,
  'services' | 'workload'
> {
  const names = (branch: Branch): string[] =>
    Array.from({ length: accounts }, (_, index) => `acc_${branch}_${index + 1}`);
  const replica = new URL('./bank.replica.ts', import.meta.url);

  const next = (random: Random): Command => {
    const [from, to] = random.shuffled(branches);
    if (from === undefined || to === undefined) throw new Error('a bank has two branches or more');
    const transferId = Array.from({ length: 4 }, () => random.below(2 ** 24).toString(36)).join('-');
    const args = {
      transferId,
      from: { branch: from, account: random.pick(names(from)) },
      to: { branch: to, account: random.pick(names(to)) },
      amount: 1 + random.below(startBalance / 10),
    };
    return { service: from, name: 'transfer', args };
  };

  const verify: Workload['verify'] = async (db) => {
    const wrong: string[] = [];
    let total = 0;
    const real = new Map<string, number>();
    for (const branch of branches) {
      for await (const account of db(branch).collection<AccountDocument>(accountsCollection).find()) {
        total += account.balance;
        real.set(`/causeway/${branch}/account/${account._id}`, account.balance);
        if (account.balance < 0) wrong.push(`${branch}/${account._id} has ${account.balance}`);
        const underWay = Object.keys(account.underWay);
        if (underWay.length > 0)
          wrong.push(`transfers of ${branch}/${account._id} never arrived: ${underWay.join(', ')}`);
      }
    }
    const start = branches.length * accounts * startBalance;
    if (total !== start) wrong.push(`all accounts together have ${total}, and had ${start}`);
    for (const branch of branches) {
      const copies = await db(branch).collection<{ _id: string; balance: number }>(balancesCollection).find().toArray();
      if (copies.length !== real.size) wrong.push(`${branch} knows ${copies.length} of ${real.size} balances`);
      for (const { _id, balance } of copies) {
        if (real.get(_id) !== balance)
          wrong.push(`${branch} takes ${_id} for ${balance}, it has ${real.get(_id) ?? 0}`);
      }
    }
    for (const branch of branches) wrong.push(...(await verifyCounts(db(branch), branch, startBalance)));
    return wrong;
  };

  return {
    services: branches.map((name) => ({ name, replica, replicas })),
    workload: {
      begin: () =>
        branches.flatMap((service) =>
          names(service).map((account) => ({ service, name: 'open', args: { account, balance: startBalance } })),
        ),
      next,
      verify,
    },
  };
}
