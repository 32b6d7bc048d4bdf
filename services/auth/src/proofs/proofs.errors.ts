import { defineFault } from '@causeway/contracts';

/** Unknown, malformed, expired, used: one answer, which says nothing about any of them. */
export const linkInvalid = defineFault({
  code: 'link-invalid',
  category: 'not-found',
  title: 'The link is not valid',
  description:
    'It has been used, has expired, was replaced by a newer one, or was not copied whole. Ask for a new one; only the newest works.',
});
