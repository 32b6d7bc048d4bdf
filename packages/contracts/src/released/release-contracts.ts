import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { checkContracts, declaredVersions, type CheckOptions, type Verdict } from './check-contracts.ts';
import { unfit } from './check-samples.ts';
import { fileOf, keyOf } from './released-contracts.ts';

/** What a release has come to. */
export interface Release {
  /** Files that were written, from the folder on. */
  readonly written: readonly string[];
  /** What stood in the way, in words. */
  readonly refused: readonly string[];
  readonly verdicts: readonly Verdict[];
}

/**
 * Writes down the schema of every version that is new, or has changed compatibly. Samples are written by people beforehand, and
 * one that does not show the whole version stands in its way. As long as anything is broken nothing is written.
 *
 * @param folder - where released contracts are kept
 */
export const releaseContracts = async (options: CheckOptions, folder: string): Promise<Release> => {
  const verdicts = checkContracts(options);
  const broken = verdicts.filter(({ kind }) => kind === 'broken');
  if (broken.length > 0) return { written: [], refused: broken.map(({ words }) => words), verdicts };
  const due = new Set(verdicts.filter(({ kind }) => kind === 'new' || kind === 'changed').map(keyOf));
  const written: string[] = [];
  const refused: string[] = [];
  for (const { contract, version, schema, kept } of declaredVersions(options)) {
    const place = { type: contract.type, version: version.version };
    if (!due.has(keyOf(place))) continue;
    const faults =
      kept?.samples === undefined
        ? [
            `write released/${fileOf(place, 'samples')} first: an object of named samples of its data, such as \`minimal\` and \`full\``,
          ]
        : unfit(contract, version, schema, kept.samples);
    if (faults.length > 0) {
      refused.push(`${keyOf(place)}: ${faults.join('; ')}.`);
      continue;
    }
    const file = fileOf(place, 'schema');
    await mkdir(path.join(folder, place.type), { recursive: true });
    await writeFile(path.join(folder, file), `${JSON.stringify(schema, undefined, 2)}\n`);
    written.push(file);
  }
  return { written, refused, verdicts };
};
