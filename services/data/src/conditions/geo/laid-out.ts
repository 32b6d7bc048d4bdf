import type { Spend } from '../pattern/automaton.ts';
import type { Area } from './geometry.ts';
import { Cap } from './sphere/cap.ts';
import { pointAt } from './sphere/point.ts';
import type { Shape } from './sphere/shape.ts';
import { shapeOf } from './sphere/shape.ts';
import { withWork } from './sphere/work.ts';

/** An area, ready to be held against what records have. */
export type LaidOut =
  { readonly kind: 'geometry'; readonly shape: Shape } | { readonly kind: 'circle'; readonly cap: Cap };

/** Of each condition once: it is compiled for every caller and, where it asks for the time, for every change. */
const laidOut = new WeakMap<Area, LaidOut>();

/**
 * Lays an area out on the globe.
 *
 * @param spend - is told of the work where that has not been done yet; what it throws ends it
 * @returns undefined where that cannot be done: its edges cross, or go half way round
 */
export function layOut(area: Area, spend: Spend): LaidOut | undefined {
  const known = laidOut.get(area);
  if (known !== undefined) return known;
  const found = withWork(spend, () => layOutAnew(area));
  if (found !== undefined) laidOut.set(area, found);
  return found;
}

function layOutAnew(area: Area): LaidOut | undefined {
  if (area.kind === 'circle') return { kind: 'circle', cap: new Cap(pointAt(area.center), area.radians) };
  const shape = shapeOf(area.geometry);
  return shape === undefined ? undefined : { kind: 'geometry', shape };
}
