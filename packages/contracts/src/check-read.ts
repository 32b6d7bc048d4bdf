import { ContractViolation, faultsOf } from './contract-violation.ts';
import type { EventEnvelope } from './envelope.ts';
import { schemaUrn, versionsOf, type EventContract, type EventData, type ReadEvent } from './event-contract.ts';

/** What a `dataschema` is cut to where it is repeated: whoever sent it may have sent anything. */
const longestRepeated = 200;

const unknownVersion = ({ type, dataschema }: EventEnvelope, contract: EventContract): ContractViolation => {
  const prefix = schemaUrn({ type: contract.type, version: 0 }).slice(0, -1);
  const text = dataschema.startsWith(prefix) ? dataschema.slice(prefix.length) : '';
  if (!/^[1-9]\d{0,8}$/.test(text)) {
    const repeated = dataschema.slice(0, longestRepeated);
    return new ContractViolation(type, [`this reader knows ${schemaUrn(contract)}, the event is ${repeated}`]);
  }
  // Every lower one is known: there are no gaps.
  return new ContractViolation(type, [
    `the event is of version ${text}, and this reader knows ${contract.version} at most: deploy this reader with version ${text} first, then have the event handled again`,
  ]);
};

/**
 * Checks an event that was read, of any version that its contract has: its data keeps to that version, and is lifted to the newest, step by
 * step. Properties that this reader does not know yet are left out, as compatible change demands.
 *
 * @returns the event with data as the contract has it, and with the `dataschema` of that; `recordedschema` is what it had where
 *   that is another
 * @throws {@link ContractViolation} - also for a type or a version that this reader does not know
 */
export const checkRead = <Data extends EventData>(
  contract: EventContract<Data>,
  event: EventEnvelope,
): ReadEvent<Data> => {
  const { type } = contract;
  if (event.type !== type) {
    throw new ContractViolation(event.type, [
      `this reader knows ${type} alone: deploy a reader of ${event.type.slice(0, longestRepeated)} first, then have the event handled again`,
    ]);
  }
  const versions = versionsOf(contract);
  const first = versions.findIndex(({ version }) => event.dataschema === schemaUrn({ type, version }));
  if (first === -1) throw unknownVersion(event, contract);
  const { data: recorded, ...attributes } = event;
  let data = recorded;
  for (const { version, schema, lift } of versions.slice(first)) {
    if (lift !== undefined && version > (versions[first]?.version ?? 0)) {
      try {
        data = lift.upcast(data as EventData, attributes);
      } catch (error) {
        throw new ContractViolation(type, [`the upcaster to version ${version} failed`], { cause: error });
      }
    }
    const result = schema.safeParse(data);
    if (!result.success) throw new ContractViolation(type, faultsIn(version, contract, faultsOf(result.error)));
    data = result.data;
  }
  const dataschema = schemaUrn(contract);
  const lifted = event.dataschema === dataschema ? {} : { recordedschema: event.dataschema };
  return { ...attributes, dataschema, ...lifted, data: data as Data };
};

/** Where more than one version may be meant, the faults say which. */
const faultsIn = (version: number, contract: EventContract, faults: readonly string[]): readonly string[] =>
  contract.lift === undefined ? faults : faults.map((fault) => `${fault} (version ${version})`);
