// `npm run contracts:check` and `npm run contracts:release`: the contracts in the code beside those that have been released.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { catalogue } from '@causeway/contracts';
import {
  checkContracts,
  readReleased,
  releaseContracts,
  releasedFolder,
  type Verdict,
} from '@causeway/contracts/released';
import { findReaders } from './readers.ts';

const usage = `usage: npm run contracts:check [-- --json]
       npm run contracts:release [-- --json]

check    compares the contracts in the code with the released ones; ends with 1 where somebody could not read them
release  writes down what is new or has changed compatibly; ends with 1 where something is in the way

  --json             one JSON value a line, for programs
  --folder <folder>  where released contracts are, instead of packages/contracts/released`;

const understood = () => {
  try {
    const { positionals, values } = parseArgs({
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, folder: { type: 'string', default: releasedFolder } },
    });
    const [command, ...rest] = positionals;
    if (rest.length === 0 && (command === 'check' || command === 'release')) return { command, ...values };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
  }
  return undefined;
};

const marks: Readonly<Record<Verdict['kind'], string>> = { released: '✔', changed: '·', new: '·', broken: '✖' };

const tell = (verdicts: readonly Verdict[]): void => {
  for (const { kind, words } of verdicts) if (words !== '') console.log(`${marks[kind]} ${words}`);
};

const totalOf = (verdicts: readonly Verdict[]): string => {
  const count = (kind: Verdict['kind']): number => verdicts.filter((each) => each.kind === kind).length;
  const counted = (['released', 'changed', 'new', 'broken'] as const).map((kind) => `${count(kind)} ${kind}`);
  return `contracts: ${counted.join(', ')}`;
};

const main = async (): Promise<number> => {
  const asked = understood();
  if (asked === undefined) {
    console.error(usage);
    return 2;
  }
  const { command, json, folder } = asked;
  const options = { catalogue, kept: await readReleased(folder), readers: await findReaders() };
  if (command === 'check') {
    const verdicts = checkContracts(options);
    if (json) for (const verdict of verdicts) console.log(JSON.stringify(verdict));
    else {
      tell(verdicts);
      console.log(totalOf(verdicts));
    }
    return verdicts.some(({ kind }) => kind === 'broken') ? 1 : 0;
  }
  const { written, refused } = await releaseContracts(options, folder);
  if (json) console.log(JSON.stringify({ written, refused }));
  else {
    for (const file of written) console.log(`✔ ${file}`);
    for (const words of refused) console.log(`✖ ${words}`);
    if (written.length + refused.length === 0) console.log('nothing to release');
  }
  return refused.length === 0 ? 0 : 1;
};

try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
