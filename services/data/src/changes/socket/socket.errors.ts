import { defineFault } from '@causeway/contracts';

/** A subscription's id that another one of the same socket has. */
export const subscriptionExists = defineFault({
  code: 'subscription-exists',
  category: 'conflict',
  title: 'There is a subscription by this id',
  description:
    'Each subscription of a WebSocket has an id of its own. It may be used again once `end`, or an error, has been told of it.',
});

/** More than one socket, or one caller over all of theirs, may have. */
export const tooManySubscriptions = defineFault({
  code: 'too-many-subscriptions',
  category: 'too-many-requests',
  title: 'There are too many subscriptions',
  description:
    'A WebSocket has at most 100 subscriptions, and one caller a share of all that there may be. End some, or ask for more by one filter.',
});

/** A greeting with the token of somebody else. */
export const callerChanged = defineFault({
  code: 'caller-changed',
  category: 'forbidden',
  title: 'This token is of another caller',
  description:
    'A newer token goes on with what is subscribed only where it says the same of the caller: session, roles and organisation. Connect again, and resume each subscription by its last cursor.',
});
