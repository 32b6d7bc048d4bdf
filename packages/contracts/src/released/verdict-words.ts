import { serviceOf } from '../topics.ts';
import { keyOf } from './released-contracts.ts';
import type { SchemaChange } from './schema-change.ts';

/** Who takes events of which types: a handler of a service, or whatever else in it reads them. */
export interface Reader {
  readonly service: string;
  /** As the service names it: `create-profile`. */
  readonly reader: string;
  readonly types: readonly string[];
}

/** What one says about a version of a contract. */
export interface Subject {
  readonly type: string;
  readonly version: number;
  /** The newest version that the code declares. */
  readonly newest: number;
  readonly readers: readonly Reader[];
}

const list = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;

/** The readers of a type as one names them: `user (create-profile)`. */
export const namesOf = (readers: readonly Reader[], type: string): readonly string[] => {
  const byService = new Map<string, string[]>();
  for (const { service, reader, types } of readers) {
    if (types.includes(type)) byService.set(service, [...(byService.get(service) ?? []), reader]);
  }
  return [...byService].map(([service, names]) => `${service} (${names.join(', ')})`);
};

/** In which order services are deployed: those that read the type before the one that records it. */
export const deployOrder = (readers: readonly Reader[], type: string): readonly string[] => {
  const reading = readers.filter(({ types }) => types.includes(type)).map(({ service }) => service);
  const recording = serviceOf(type);
  return [...new Set([...reading.filter((service) => service !== recording), recording])];
};

const orderWords = (deploy: readonly string[]): string =>
  deploy.length === 1
    ? `your own subscribers first, then ${deploy[0] ?? ''}`
    : `${list(deploy.slice(0, -1))} first, then ${deploy.at(-1) ?? ''}`;

/** `\`roles[]\` may now be \`guest\``. */
const changeWords = ({ path, words }: SchemaChange): string => `${path === '' ? 'the data' : `\`${path}\``} ${words}`;

const affected = ({ type, readers }: Subject, changes: readonly SchemaChange[]): string => {
  const names = namesOf(readers, type);
  const who = names.length === 0 ? 'subscribers of your own, for no service here reads it' : list(names);
  const deployed = changes.some(({ breaksReaders }) => breaksReaders);
  const logged = changes.some(({ breaksLog }) => breaksLog);
  return [
    ...(deployed ? [`Readers that are deployed expect it as it was: ${who}.`] : []),
    ...(logged ? [`Events in the log are as it was, and could no longer be read: by ${who}.`] : []),
  ].join(' ');
};

/** What breaks, who breaks, and the way out. */
export const brokenWords = (subject: Subject, changes: readonly SchemaChange[]): string => {
  const { type, version, newest, readers } = subject;
  const order = orderWords(deployOrder(readers, type));
  const way =
    version === newest
      ? `Make it as it was, or release version ${newest + 1} with an upcaster; deploy ${order}.`
      : `Version ${version} has been released: make it as it was, and change version ${newest} or what comes after it.`;
  return `${keyOf(subject)}: ${changes.map(changeWords).join('; ')}. ${affected(subject, changes)} ${way}`;
};

/** A change that breaks nobody. */
export const changedWords = (subject: Subject, changes: readonly SchemaChange[]): string => {
  const what = changes.length === 0 ? 'words about it have changed' : changes.map(changeWords).join('; ');
  return `${keyOf(subject)}: ${what}. That is compatible, and not yet released: npm run contracts:release.`;
};

/** A version that is new. */
export const newWords = (subject: Subject, samplesFile: string | undefined): string => {
  const { type, version, readers } = subject;
  const first = samplesFile === undefined ? '' : `write released/${samplesFile}, then `;
  const order = version === 1 ? '' : ` Deploy ${orderWords(deployOrder(readers, type))}.`;
  return `${keyOf(subject)} is not yet released: ${first}npm run contracts:release.${order}`;
};

/** A version that was released, and is no longer declared. */
export const goneWords = (subject: Pick<Subject, 'type' | 'version' | 'readers'>): string => {
  const names = namesOf(subject.readers, subject.type);
  const who = names.length === 0 ? '' : `, also by ${list(names)}`;
  return `${keyOf(subject)} has been released, and the code no longer declares it: its events in the log could no longer be read${who}. Put it back.`;
};

/** Samples of what nobody declares. */
export const strayWords = (subject: Pick<Subject, 'type' | 'version'>, samplesFile: string): string =>
  `${keyOf(subject)}: the code declares no such event, and it was never released: remove released/${samplesFile}.`;
