import { pointerTo } from '../conditions/located-fault.ts';
import { isObject } from '../conditions/plain-value.ts';
import { aggregateLimits } from './aggregate.ts';
import { refusal } from './scope.ts';

/** What a stage was given, and where. */
export interface Placed {
  readonly name: string;
  readonly json: unknown;
  readonly pointer: string;
}

/** What is done with rows before they are put together, or are the result. */
export interface StagePhase {
  readonly match?: Placed;
  readonly sort?: Placed;
  readonly limit?: Placed;
}

/** Stages, by what they are done to. */
export interface StagePhases {
  readonly records: StagePhase;
  readonly groups: readonly (StagePhase & { readonly group: Placed })[];
  readonly project: Placed | undefined;
  readonly lookups: readonly Placed[];
}

/** Within a phase each comes once, and in this order. */
const steps = ['match', 'sort', 'limit'] as const;

type Step = (typeof steps)[number];

const known = 'match, group, bucket, sort, limit, project and lookup';
const order =
  'Put stages in this order: match, sort, limit, each once; the same again after each group or bucket; at the end project, then lookup.';

/**
 * Tells the stages apart by what they are done to: records, or the rows of a group.
 *
 * @throws Fault `invalid-request`
 */
export function phasesOf(json: unknown, pointer: string): StagePhases {
  if (!Array.isArray(json) || json.length === 0 || json.length > aggregateLimits.stages) {
    throw refusal(pointer, 'invalid-stages', `Give a list of 1 to ${aggregateLimits.stages} stages.`);
  }
  const phases: { group?: Placed; match?: Placed; sort?: Placed; limit?: Placed }[] = [{}];
  const lookups: Placed[] = [];
  let project: Placed | undefined;
  const misplaced = (stage: Placed): Error => refusal(stage.pointer, 'misplaced-stage', order);
  const step = (stage: Placed, name: Step): void => {
    const phase = phases.at(-1) ?? {};
    if (steps.slice(steps.indexOf(name)).some((each) => phase[each] !== undefined)) throw misplaced(stage);
    phase[name] = stage;
  };
  for (const stage of json.map((each, at) => stageOf(each, pointerTo(pointer, at)))) {
    const { name } = stage;
    if (name !== 'lookup' && (lookups.length > 0 || project !== undefined)) throw misplaced(stage);
    if (name === 'lookup') lookups.push(stage);
    else if (name === 'project') project = stage;
    else if (name === 'group' || name === 'bucket') phases.push({ group: stage });
    else step(stage, name as Step);
  }
  const [records = {}, ...groups] = phases;
  if (lookups.length > aggregateLimits.lookups) {
    throw refusal(pointer, 'too-many', `Use at most ${aggregateLimits.lookups} lookups.`);
  }
  return { records, groups: groups as StagePhases['groups'], project, lookups };
}

const names: ReadonlySet<string> = new Set([...steps, 'group', 'bucket', 'project', 'lookup']);

function stageOf(json: unknown, pointer: string): Placed {
  const entries = isObject(json) ? Object.entries(json) : [];
  const [first, ...more] = entries;
  if (first === undefined || more.length > 0) {
    throw refusal(pointer, 'invalid-stage', `Give a stage one member, its name: ${known}.`);
  }
  const [name, operand] = first;
  const at = pointerTo(pointer, name);
  if (names.has(name)) return { name, json: operand, pointer: at };
  throw refusal(at, 'unknown-stage', `Use ${known}, without \`$\`; other stages are not taken.`);
}
