/**
 * The environment variable in which specs are handed their platform, as JSON. Where it is set already the runner starts none:
 * so that whoever works on a spec need not wait for one each time.
 */
export const platformVariable = 'CAUSEWAY_E2E_PLATFORM';
