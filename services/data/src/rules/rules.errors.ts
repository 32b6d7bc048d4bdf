import { defineFault, faults } from '@causeway/contracts';

/** The patterns of a rule take too long over a record, or it follows references to too many. */
export const ruleTooCostly = defineFault({
  code: 'rule-too-costly',
  category: 'unprocessable',
  title: 'The rule takes too long for this record',
  description:
    "The collection's rules search this record's texts by patterns that take too long over them, or follow references to more records than can be looked for at once. An administrator may make the patterns simpler, such as by leaving out counted repetitions, or the condition on what is followed narrower.",
});

/** A body names a collection that is not there; its call is an administrator's, who may know. */
export const unknownCollection = (): Error =>
  faults.notFound({
    errors: [{ pointer: '/collection', code: 'unknown-collection', message: 'There is no such collection.' }],
  });
