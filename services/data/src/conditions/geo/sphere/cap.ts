import type { Cell } from './cell.ts';
import { cellContains, normalsOf } from './cell.ts';
import { distanceTo, nearestOn } from './edges.ts';
import type { Line } from './line.ts';
import type { Point } from './point.ts';
import { angleBetween, cross, dot, minus, square, times, vertexAt } from './point.ts';
import type { Surface } from './surface.ts';
import { sin } from './trigonometry.ts';
import { worked } from './work.ts';

/** What the way to an edge takes, as measured. */
const edgeUnits = 40;

/** All that is within a distance of a point (MongoDB's src/third_party/s2/s2cap.cc). */
export class Cap {
  readonly #axis: Point;
  /** From 0, the axis alone, to 2, the whole globe. */
  readonly #height: number;

  /** @param radians - from 0 to π */
  constructor(axis: Point, radians: number) {
    this.#axis = axis;
    const half = sin(0.5 * radians);
    this.#height = radians >= Math.PI ? 2 : 2 * half * half;
  }

  #contains(point: Point): boolean {
    return square(minus(this.#axis, point)) <= 2 * this.#height;
  }

  mayIntersect(cell: Cell): boolean {
    return cell.vertices.some((vertex) => this.#contains(vertex)) || this.#intersects(cell);
  }

  /** Where no corner lies inside. */
  #intersects(cell: Cell): boolean {
    if (this.#height >= 1) return false;
    if (cellContains(cell, this.#axis)) return true;
    const widest = this.#height * (2 - this.#height);
    for (const [index, normal] of normalsOf(cell).entries()) {
      const away = dot(this.#axis, normal);
      // The axis is on the inner side of this edge: the opposite one is met as well.
      if (away > 0) continue;
      if (away * away > widest * square(normal)) return false;
      const along = cross(normal, this.#axis);
      const [from, to] = [vertexAt(cell.vertices, index), vertexAt(cell.vertices, (index + 1) % 4)];
      if (dot(along, from) < 0 && dot(along, to) > 0) return true;
    }
    return false;
  }

  /** Whether a line or surface lies inside: MongoDB asks whether it comes too near to the middle of what is outside (`GeometryContainer::contains`). */
  holds(shape: Line | Surface): boolean {
    const outside = this.#height >= 2 ? -1 : 2 - this.#height;
    const angle = outside < 0 ? -1 : 2 * Math.asin(Math.sqrt(0.5 * outside));
    const middle = times(this.#axis, -1);
    if ('rings' in shape && shape.contains(middle)) return angle <= 0;
    const chains = 'rings' in shape ? shape.rings.map(({ vertices }) => closed(vertices)) : [shape.vertices];
    return !(angleBetween(middle, nearestOfChains(middle, chains)) < angle);
  }
}

const closed = (vertices: readonly Point[]): readonly Point[] => [...vertices, vertexAt(vertices, 0)];

function nearestOfChains(point: Point, chains: readonly (readonly Point[])[]): Point {
  let distance = Infinity;
  let nearest: readonly Point[] = [];
  for (const chain of chains) {
    for (let index = 1; index < chain.length; index += 1) {
      const edge = [vertexAt(chain, index - 1), vertexAt(chain, index)] as const;
      worked(edgeUnits);
      const away = distanceTo(point, ...edge);
      if (away < distance) [distance, nearest] = [away, edge];
    }
  }
  const [from, to] = nearest as readonly [Point, Point];
  return nearestOn(point, from, to);
}
