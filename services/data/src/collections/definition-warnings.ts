import type { Collection } from 'mongodb';

import type { RuleWarning } from '../queries/plan/rule-warnings.ts';
import { warnOfFollows, warnOfRules } from '../queries/plan/rule-warnings.ts';
import type { DefinitionDocument } from './collection.model.ts';
import type { CompiledDefinition } from './parse-definition.ts';

/** What an administrator should know about a definition, though it is taken. */
export const warningsOf = async (
  definition: CompiledDefinition,
  definitions: Pick<Collection<DefinitionDocument>, 'findOne'>,
): Promise<readonly RuleWarning[]> => [
  ...warnOfRules(definition),
  ...(await warnOfFollows(
    definition,
    async (id) => (await definitions.findOne({ _id: id }, { projection: { definition: 1 } })) ?? undefined,
  )),
];
