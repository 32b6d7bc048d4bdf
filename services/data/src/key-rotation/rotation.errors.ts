import { defineFault } from '@causeway/contracts';

/** What the rotation of a key may be refused with. */
export const rotationFaults = {
  nothingEncrypted: defineFault({
    code: 'nothing-encrypted',
    category: 'conflict',
    title: 'The collection has no encrypted fields',
    description:
      'Its definition has no field with `"encrypted": true`, so that there is no key to take the place of another.',
  }),
  underWay: defineFault({
    code: 'rotation-under-way',
    category: 'conflict',
    title: 'The key is being rotated already',
    description: 'One rotation of a collection runs at a time. `GET /v1/collections/{name}/keys` tells how far it is.',
  }),
  tooMany: defineFault({
    code: 'too-many-keys',
    category: 'conflict',
    title: 'The collection has too many keys',
    description:
      'Keys that have been replaced are kept for a while. `GET /v1/collections/{name}/keys` tells how long; rotate again once one is gone.',
  }),
} as const;
