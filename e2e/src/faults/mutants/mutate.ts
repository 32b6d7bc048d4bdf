// Preloaded into replicas: replaces a piece of one source as it is loaded. What is not there exactly once is an error, so that
// a mutant that no longer fits its source is told of.
import { registerHooks } from 'node:module';
import process from 'node:process';
import { mutatedSource } from './mutated-source.ts';
import { mutants } from './mutants.ts';

const name = process.env.CAUSEWAY_FAULTS_MUTANT;
const mutant = mutants.find((each) => each.name === name);
if (mutant === undefined) throw new Error(`there is no mutant ${name ?? ''}`);

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/packages/events/src/${mutant.file}`)) return loaded;
    const { source } = loaded;
    const text = typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8');
    return { ...loaded, source: mutatedSource(text, mutant) };
  },
});
