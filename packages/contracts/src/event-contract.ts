import { z } from 'zod';

import type { EventEnvelope } from './envelope.ts';

/** The shape of an event's data. */
export type EventData = Readonly<Record<string, unknown>>;

/** What an upcaster may read beside the data: the event's attributes, such as its time. */
export type EventAttributes = Omit<EventEnvelope, 'data'>;

/** The way from a version to the next one. */
export interface Lift {
  /** The version from which it leads. */
  readonly from: EventVersion;
  readonly upcast: (data: EventData, attributes: EventAttributes) => EventData;
}

/** One version of a contract. Within a version it changes only compatibly: optional properties may be added. */
export interface EventVersion<Data extends EventData = EventData> {
  /** 1, 2, 3, … */
  readonly version: number;
  readonly schema: z.ZodType<Data>;
  /** From the version before; absent at the first. */
  readonly lift?: Lift;
}

/** An event type with the schema of its data, the only thing that services share about each other, in its newest version. */
export interface EventContract<Data extends EventData = EventData> extends EventVersion<Data> {
  /** `user.profile.updated`: service, thing, past tense. */
  readonly type: string;
  /** The kind of thing that the subject names: `profile` in `profile/usr_…`. */
  readonly thing: string;
  /** One sentence for the reader of the catalogue. */
  readonly description: string;
}

/** An event whose data has been checked against its contract, and lifted to its newest version. */
export interface ReadEvent<Data = unknown> extends EventEnvelope<Data> {
  /** The `dataschema` under which it was recorded, where that is an earlier version's. */
  readonly recordedschema?: string;
}

/** An event whose data has been checked against its contract. */
export type EventOf<Contract> = Contract extends EventContract<infer Data> ? ReadEvent<Data> : never;

/** The data of a contract's events. */
export type DataOf<Contract> = Contract extends EventContract<infer Data> ? Data : never;

type Output<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

/** Where a version comes from: nothing at the first, and at any other the one before and how its data becomes this one's. */
type Origin<Shape extends z.ZodRawShape, Earlier extends EventData> =
  | { readonly earlier?: never; readonly upcast?: never }
  | {
      readonly earlier: EventVersion<Earlier>;
      /** Pure. */
      readonly upcast: (data: Earlier, attributes: EventAttributes) => z.input<z.ZodObject<Shape>>;
    };

interface VersionDeclaration<Shape extends z.ZodRawShape> {
  readonly version: number;
  readonly data: Shape;
}

interface EventDeclaration<Shape extends z.ZodRawShape> extends VersionDeclaration<Shape> {
  readonly type: string;
  readonly thing: string;
  readonly description: string;
}

/** As it may come from code that no compiler has checked. */
interface AnyOrigin {
  readonly earlier?: EventVersion | undefined;
  readonly upcast?: unknown;
}

const liftOf = (what: string, version: number, { earlier, upcast }: AnyOrigin): Lift | undefined => {
  const refuse = (words: string): never => {
    throw new TypeError(`${what}: ${words}`);
  };
  if (!Number.isSafeInteger(version) || version < 1) refuse('a version is 1, 2, 3, …');
  if (earlier === undefined) {
    if (version !== 1)
      refuse(`\`earlier\` is missing: events of version ${version - 1} are in the log, and must be read`);
    if (upcast !== undefined) refuse('there is an upcaster, and no earlier version');
    return undefined;
  }
  if (earlier.version !== version - 1) refuse(`the version before it is ${version - 1}, not ${earlier.version}`);
  if (typeof upcast !== 'function') refuse(`an upcaster from version ${earlier.version} is missing`);
  return { from: earlier, upcast } as unknown as Lift;
};

const versionOf = <Shape extends z.ZodRawShape>(
  what: string,
  { version, data }: VersionDeclaration<Shape>,
  origin: AnyOrigin,
): EventVersion<Output<Shape>> => {
  const lift = liftOf(what, version, origin);
  return { version, schema: z.object(data), ...(lift !== undefined && { lift }) };
};

/**
 * Declares an earlier version of an event, for the next one to come from. It can be read, and never recorded.
 *
 * @param declaration - its number, the shape of its data, and from the second on the version before it and an upcaster
 * @throws TypeError where versions do not follow each other
 */
export const eventVersion = <Shape extends z.ZodRawShape, Earlier extends EventData = never>(
  declaration: VersionDeclaration<Shape> & Origin<Shape, Earlier>,
): EventVersion<Output<Shape>> => versionOf(`version ${declaration.version}`, declaration, declaration);

/**
 * Declares an event in its newest version, which alone is recorded.
 *
 * @param declaration - type, version, thing, description, the shape of its data; from the second version on the one before
 *   it, and an upcaster from that
 * @throws TypeError where versions do not follow each other
 */
export const defineEvent = <Shape extends z.ZodRawShape, Earlier extends EventData = never>(
  declaration: EventDeclaration<Shape> & Origin<Shape, Earlier>,
): EventContract<Output<Shape>> => {
  const { type, thing, description, version } = declaration;
  return { type, thing, description, ...versionOf(`${type} ${version}`, declaration, declaration) };
};

/** Every version of a contract that can be read, from the first to the newest. */
export const versionsOf = (contract: EventVersion): readonly EventVersion[] =>
  contract.lift === undefined ? [contract] : [...versionsOf(contract.lift.from), contract];

/** The `dataschema` attribute of a contract's events. */
export const schemaUrn = (contract: Pick<EventContract, 'type' | 'version'>): string =>
  `urn:causeway:contract:${contract.type}:${contract.version}`;
