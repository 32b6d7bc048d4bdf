import type { Bound } from './bound.ts';
import { boundOfChain, boundsIntersect } from './bound.ts';
import type { Cell } from './cell.ts';
import { cellContains } from './cell.ts';
import { crossesAtVertex, EdgeCrosser, fractionAt, intersectionOf } from './edges.ts';
import type { Point } from './point.ts';
import { angleBetween, isBefore, isSame, vertexAt } from './point.ts';
import type { Surface } from './surface.ts';
import { withoutRepeated } from './surface.ts';
import { worked } from './work.ts';

/** What the look at a vertex takes, as measured. */
const vertexUnits = 4;

/** An open chain of edges (MongoDB's src/third_party/s2/s2polyline.cc). */
export class Line {
  readonly vertices: readonly Point[];
  #bound: Bound | undefined;

  constructor(vertices: readonly Point[]) {
    this.vertices = vertices;
  }

  get bound(): Bound {
    return (this.#bound ??= boundOfChain(this.vertices));
  }

  get size(): number {
    return this.vertices.length;
  }

  intersects(other: Line): boolean {
    if (!boundsIntersect(this.bound, other.bound)) return false;
    return this.edges().some(([from, to]) => meets(from, to, other.vertices));
  }

  mayIntersect(cell: Cell): boolean {
    worked(this.size * vertexUnits);
    if (this.vertices.some((vertex) => cellContains(cell, vertex))) return true;
    const [first] = cell.vertices as readonly [Point];
    return chainEdges([...cell.vertices, first]).some(([from, to]) => meets(from, to, this.vertices));
  }

  edges(): readonly Edge[] {
    return chainEdges(this.vertices);
  }
}

export type Edge = readonly [from: Point, to: Point];

const chainEdges = (vertices: readonly Point[]): Edge[] =>
  vertices.slice(1).map((to, index) => [vertexAt(vertices, index), to]);

/** Whether an edge crosses one of a chain, or has an end in common with one. */
function meets(from: Point, to: Point, chain: readonly Point[]): boolean {
  const crosser = new EdgeCrosser(from, to, vertexAt(chain, 0));
  return chain.slice(1).some((vertex) => crosser.crossing(vertex) >= 0);
}

/** @returns undefined where MongoDB would not take it: two positions after each other lie opposite on the globe */
export function lineOf(chain: readonly Point[]): Line | undefined {
  const vertices = withoutRepeated(chain);
  const isOpposite = ([a, b]: Edge): boolean => a.x === -b.x && a.y === -b.y && a.z === -b.z;
  return vertices.length < 2 || chainEdges(vertices).some(isOpposite) ? undefined : new Line(vertices);
}

/** Where an edge passes a surface's boundary: which part of the way on, and the point. */
type Passage = readonly [fraction: number, point: Point];

const isSamePassage = (a: Passage, b: Passage): boolean => a[0] === b[0] && isSame(a[1], b[1]);

function inOrder(a: Passage, b: Passage): number {
  if (a[0] !== b[0]) return a[0] - b[0];
  if (isBefore(a[1], b[1])) return -1;
  return isBefore(b[1], a[1]) ? 1 : 0;
}

/** Vertices that are closer, in radians, count as one. */
const mergeRadius = 1.5e-15;

/** The parts of a line that lie within a surface. */
export function partsWithin(surface: Surface, { vertices }: Line): Point[][] {
  // Holes are gone round the other way, so that the surface is always on the left.
  const boundary = surface.rings.map((ring, index) => (index === 0 ? ring.vertices : ring.vertices.toReversed()));
  const parts: Point[][] = [];
  let part: Point[] = [];
  let isInside = surface.contains(vertexAt(vertices, 0));
  for (const [from, to] of chainEdges(vertices)) {
    const passages = passagesOf(from, to, boundary);
    if (isInside) passages.push([0, from]);
    isInside = passages.length % 2 === 1;
    if (isInside) passages.push([1, to]);
    passages.sort(inOrder);
    for (let index = 0; index + 1 < passages.length; index += 2) {
      const [enters, leaves] = passages.slice(index, index + 2) as [Passage, Passage];
      if (isSamePassage(enters, leaves)) continue;
      if (part.length > 0 && angleBetween(vertexAt(part, part.length - 1), enters[1]) > mergeRadius) {
        parts.push(part);
        part = [];
      }
      if (part.length === 0) part.push(enters[1]);
      if (angleBetween(vertexAt(part, part.length - 1), leaves[1]) > mergeRadius) part.push(leaves[1]);
    }
  }
  return part.length > 0 ? [...parts, part] : parts;
}

function passagesOf(from: Point, to: Point, boundary: readonly (readonly Point[])[]): Passage[] {
  const passages: Passage[] = [];
  for (const ring of boundary) {
    worked(ring.length * vertexUnits);
    const [first] = ring as readonly [Point];
    const crosser = new EdgeCrosser(from, to, first);
    for (const [start, end] of chainEdges([...ring, first])) {
      const crossing = crosser.crossing(end);
      if (crossing > 0) {
        const point = intersectionOf(from, to, start, end);
        passages.push([fractionAt(point, from, to), point]);
      } else if (crossing === 0 && crossesAtVertex(from, to, start, end)) {
        // An edge that both have, one way and the other, is on the inside once.
        const fraction = isSame(from, start) || isSame(from, end) ? 0 : 1;
        passages.push([fraction, fraction === 0 ? from : to]);
      }
    }
  }
  return passages;
}
