import { html } from '@causeway/service';
import type { Html } from '@causeway/service';

import { timeInWords } from '../mail/time-in-words.ts';

/** A time, for people and for programs; in UTC, since a page without scripts does not know where its reader is. */
export const timeHtml = (at: Date): Html => html`<time datetime="${at.toISOString()}">${timeInWords(at)}</time>`;
