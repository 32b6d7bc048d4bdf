import { setTimeout as wait } from 'node:timers/promises';
import { linkProxy, type FaultMongodb, type LinkProxy } from '@causeway/events/faults';
import { MongoClient, type Document } from 'mongodb';
import { wayToPrimary } from './way-to-primary.ts';

/** MongoDB as a replica set of three, of which one can be cut off. */
export interface ThreeMembers {
  readonly mongodb: FaultMongodb;
  readonly close: () => Promise<void>;
}

interface Member {
  readonly port: number;
  /** The way on which the others reach it. */
  readonly link: LinkProxy;
  readonly client: MongoClient;
}

const host = '127.0.0.1';
const replicaSet = 'members';
const electedMs = 90_000;

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + electedMs;
  while (!(await isSo().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`${what}: not after ${electedMs} ms`);
    await wait(100);
  }
}

const hello = ({ client }: Member): Promise<Document> => client.db('admin').command({ hello: 1 });
const isPrimary = async (member: Member): Promise<boolean> => (await hello(member)).isWritablePrimary === true;
const isSecondary = async (member: Member): Promise<boolean> => (await hello(member)).secondary === true;

async function reach(port: number): Promise<Member> {
  const url = `mongodb://${host}:${port}/?directConnection=true`;
  const client = await MongoClient.connect(url, { appName: 'causeway-faults', serverSelectionTimeoutMS: 10_000 });
  return { port, client, link: await linkProxy(host, port) };
}

/** Members know each other by the ways that can be cut. The first of them, the only one that may lead at once, becomes primary. */
async function initiate(members: readonly Member[]): Promise<void> {
  const [first] = members;
  await first?.client.db('admin').command({
    replSetInitiate: {
      _id: replicaSet,
      members: members.map(({ link }, index) => ({
        ...{ _id: index, host: `${host}:${link.port}` },
        priority: index === 0 ? 2 : 1,
      })),
      // As far apart as the default has it: what is written meanwhile to the one that is cut off will have been in vain.
      settings: { electionTimeoutMillis: 10_000, catchUpTimeoutMillis: 1_000 },
    },
  });
}

/** From the first election on none is to lead before the others: it would take its place back some time after it was cut off. */
async function makeEqual({ client }: Member): Promise<void> {
  const admin = client.db('admin');
  const { config } = (await admin.command({ replSetGetConfig: 1 })) as {
    readonly config: { readonly version: number; readonly members: readonly Document[] };
  };
  const { version, members } = config;
  const equal = members.map((each) => ({ ...each, priority: 1 }));
  await admin.command({ replSetReconfig: { ...config, version: version + 1, members: equal } });
}

/** Takes three members and makes them one set. @param ports - of members that nobody has initiated */
export async function threeMembers(ports: readonly number[]): Promise<ThreeMembers> {
  const members = await Promise.all(ports.map(reach));
  await initiate(members);
  const findPrimary = async (among: readonly Member[]): Promise<Member> => {
    let primary: Member | undefined;
    await until('a primary', async () => {
      for (const member of among) if (await isPrimary(member).catch(() => false)) primary = member;
      return primary !== undefined;
    });
    if (primary === undefined) throw new Error('there is no primary');
    return primary;
  };
  let primary = await findPrimary(members);
  await makeEqual(primary);
  const way = await wayToPrimary(primary.port);

  const rollBack = async (): Promise<void> => {
    const cut = primary;
    const others = members.filter((each) => each !== cut);
    // It still reaches the others, and so goes on as primary; they hear nothing of it any more, and choose another.
    cut.link.hang('requests');
    cut.link.hang('answers');
    try {
      primary = await findPrimary(others);
    } finally {
      cut.link.mend();
    }
    way.lead(primary.port);
    await until('the old primary follows the new one', () => isSecondary(cut));
  };

  return {
    mongodb: { url: `mongodb://${host}:${way.port}/?directConnection=true`, rollBack },
    async close() {
      await way.close();
      await Promise.all(members.map(({ client }) => client.close()));
      await Promise.all(members.map(({ link }) => link.close()));
    },
  };
}
