import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createMailboxTransport } from './mailbox-transport.ts';

void describe('a mail for the mailbox', () => {
  const mail = { id: 'mal_1', to: 'ada@example.com', subject: 's', text: 't', html: 'h' };
  for (const isThere of [true, false]) {
    it(isThere ? 'stays there' : 'goes again where it was forgotten while it was on its way', async () => {
      const kept = new Set<string>();
      const { send } = createMailboxTransport({
        mailbox: {
          put: ({ id }) => Promise.resolve(void kept.add(id)),
          forget(ids) {
            for (const id of ids) kept.delete(id);
            return Promise.resolve();
          },
        },
        isThere: (id) => Promise.resolve(isThere && id === mail.id),
      });
      await send(mail, new AbortController().signal);
      assert.equal(kept.has(mail.id), isThere);
    });
  }
});
