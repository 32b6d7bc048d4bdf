import { createHash } from 'node:crypto';

/** Stands for a text that may be long: the same for the same, and for no other (SHA-256, base64url). */
export const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
