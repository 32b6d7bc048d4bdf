import { isDeepStrictEqual } from 'node:util';

import { versionsOf, type EventContract, type EventVersion } from '../event-contract.ts';
import { unreadable } from './check-samples.ts';
import { compareSchemas } from './compare-schemas.ts';
import { jsonSchemaOf, type JsonSchema } from './json-schema.ts';
import { fileOf, keyOf, type KeptVersion, type KeptVersions } from './released-contracts.ts';
import {
  brokenWords,
  changedWords,
  deployOrder,
  goneWords,
  namesOf,
  newWords,
  strayWords,
  type Reader,
} from './verdict-words.ts';

/**
 * What is to be said of a version: `released` as it is; `changed` compatibly, `new`: fine, and not yet released; `broken`: somebody
 * could not read it.
 */
export type VerdictKind = 'released' | 'changed' | 'new' | 'broken';

/** What is to be said of one version of a contract. */
export interface Verdict {
  readonly type: string;
  readonly version: number;
  readonly kind: VerdictKind;
  /** For a person: what has changed, who breaks, what to do. Empty where it is as it was released. */
  readonly words: string;
  /** Who reads the type here: `user (create-profile)`. */
  readonly readers: readonly string[];
  /** In which order the services are deployed where a version is new. */
  readonly deploy: readonly string[];
}

/** What is compared. */
export interface CheckOptions {
  /** The contracts in the code. */
  readonly catalogue: readonly EventContract[];
  readonly kept: KeptVersions;
  readonly readers: readonly Reader[];
}

/** A version in the code, and what is kept of it. */
export interface DeclaredVersion {
  readonly contract: EventContract;
  readonly version: EventVersion;
  readonly schema: JsonSchema;
  readonly kept: KeptVersion | undefined;
}

/** Every version that the code declares. */
export const declaredVersions = ({
  catalogue,
  kept,
}: Pick<CheckOptions, 'catalogue' | 'kept'>): readonly DeclaredVersion[] =>
  catalogue.flatMap((contract) =>
    versionsOf(contract).map((version) => ({
      contract,
      version,
      schema: jsonSchemaOf(contract, version),
      kept: kept.get(keyOf({ type: contract.type, version: version.version })),
    })),
  );

const judge = (declared: DeclaredVersion, readers: readonly Reader[]): Pick<Verdict, 'kind' | 'words'> => {
  const { contract, schema, kept } = declared;
  const { version } = declared.version;
  const subject = { type: contract.type, version, newest: contract.version, readers };
  if (kept?.schema === undefined) {
    return {
      kind: 'new',
      words: newWords(subject, kept?.samples === undefined ? fileOf(subject, 'samples') : undefined),
    };
  }
  const changes = compareSchemas(kept.schema, schema);
  // Nobody records what another version has taken the place of: it only has to be read.
  const breaking = changes.filter((each) => each.breaksLog || (each.breaksReaders && version === contract.version));
  if (breaking.length > 0) return { kind: 'broken', words: brokenWords(subject, breaking) };
  const faults =
    kept.samples === undefined
      ? [`there is no released/${fileOf(subject, 'samples')}: what has been released is still to be read`]
      : unreadable(contract, version, kept.samples);
  if (faults.length > 0) return { kind: 'broken', words: `${keyOf(subject)}: ${faults.join('; ')}.` };
  if (isDeepStrictEqual(kept.schema, schema)) return { kind: 'released', words: '' };
  return { kind: 'changed', words: changedWords(subject, changes) };
};

/**
 * Compares the contracts in the code with those that have been released, and says who would break.
 *
 * @returns a verdict for each version, in the order of the catalogue; then those that are released and no longer declared
 */
export const checkContracts = (options: CheckOptions): readonly Verdict[] => {
  const { kept, readers } = options;
  const declared = declaredVersions(options);
  const complete = (type: string, version: number, said: Pick<Verdict, 'kind' | 'words'>): Verdict => ({
    type,
    version,
    ...said,
    readers: namesOf(readers, type),
    deploy: deployOrder(readers, type),
  });
  const known = new Set(declared.map(({ contract: { type }, version: { version } }) => keyOf({ type, version })));
  return [
    ...declared.map((each) => complete(each.contract.type, each.version.version, judge(each, readers))),
    ...[...kept.values()]
      .filter((each) => !known.has(keyOf(each)))
      .map(({ type, version, schema }) => {
        const place = { type, version };
        const words =
          schema === undefined ? strayWords(place, fileOf(place, 'samples')) : goneWords({ ...place, readers });
        return complete(type, version, { kind: 'broken', words });
      }),
  ];
};
