import assert from 'node:assert/strict';
import { eventually } from './eventually.ts';
import { childOf, killChild } from './platform.ts';

/** Kills all of them at one moment, and waits until all are ready again. */
export async function killAndWait(killed: readonly string[], withinMs: number): Promise<void> {
  const before = killed.map((name) => childOf(name));
  for (const name of killed) killChild(name);
  for (const { name, restarts } of before) {
    await eventually(
      () => {
        const { state, restarts: now } = childOf(name);
        assert.ok(now > restarts && state === 'ready', `${name} is ${state}`);
      },
      { withinMs },
    );
  }
}
