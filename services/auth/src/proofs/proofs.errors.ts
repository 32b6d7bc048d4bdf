import { defineFault } from '@causeway/contracts';

/** Unknown, malformed, expired, used: one answer, which says nothing about any of them. */
export const linkInvalid = defineFault({
  code: 'link-invalid',
  category: 'not-found',
  title: 'The link is not valid',
  description:
    'It has been used, has expired, was replaced by a newer one, or was not copied whole. Ask for a new one; only the newest works.',
});

/** Somebody has links mailed, to whomever; whether any was, is told to nobody. */
export const tooManyLinks = defineFault({
  code: 'too-many-links',
  category: 'too-many-requests',
  title: 'Too many links were asked for',
  description:
    'Too many links were asked for from this network within an hour, and this one was not mailed. Wait for the number of seconds in ' +
    'Retry-After.',
});
