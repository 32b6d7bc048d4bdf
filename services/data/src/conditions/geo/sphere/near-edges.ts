import type { Point } from './point.ts';
import { minus, square, vertexAt } from './point.ts';
import { worked } from './work.ts';

/** What holds an edge: between its ends, and as far beyond as it is bent. */
interface Box {
  readonly index: number;
  readonly low: Point;
  readonly high: Point;
}

/** What one takes that is held against another, and one that is near, as measured. */
const units = { held: 2, near: 12 };

/** What may be lost in rounding. */
const margin = 1e-14;

function boxOf(a: Point, b: Point, index: number): Box {
  const bent = 1 - Math.sqrt(Math.max(0, 1 - square(minus(a, b)) / 4)) + margin;
  const [lowest, highest] = [Math.min, Math.max].map((pick) => ({
    x: pick(a.x, b.x),
    y: pick(a.y, b.y),
    z: pick(a.z, b.z),
  })) as [Point, Point];
  return {
    index,
    low: { x: lowest.x - bent, y: lowest.y - bent, z: lowest.z - bent },
    high: { x: highest.x + bent, y: highest.y + bent, z: highest.z + bent },
  };
}

/**
 * The pairs of edges of a closed chain that are near each other, so that they may cross; of many, far fewer than all.
 *
 * @returns pairs of where edges begin, the smaller number first
 */
export function* nearEdges(vertices: readonly Point[]): Generator<readonly [number, number]> {
  const boxes = vertices.map((vertex, index) =>
    boxOf(vertex, vertexAt(vertices, (index + 1) % vertices.length), index),
  );
  let open: Box[] = [];
  for (const box of boxes.toSorted((a, b) => a.low.x - b.low.x)) {
    worked(units.held * open.length);
    open = open.filter((other) => other.high.x >= box.low.x);
    for (const other of open) {
      const isNear =
        other.low.y <= box.high.y &&
        box.low.y <= other.high.y &&
        other.low.z <= box.high.z &&
        box.low.z <= other.high.z;
      if (!isNear) continue;
      worked(units.near);
      yield [Math.min(box.index, other.index), Math.max(box.index, other.index)];
    }
    open.push(box);
  }
}
