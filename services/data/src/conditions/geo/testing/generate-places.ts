import type { GeneratedDocument } from '../../testing/generate.ts';
import type { Random } from '../../testing/random.ts';
import { pointAt } from '../sphere/point.ts';
import type { Position } from '../sphere/point.ts';

type Json = Readonly<Record<string, unknown>>;
type Chain = readonly Position[];

/** Places and areas that meet, in JSON. */
export interface GeneratedPlaces {
  readonly documents: readonly GeneratedDocument[];
  readonly filters: readonly Json[];
}

/**
 * Degrees whose sines and cosines every C library rounds alike: what lies on the same meridian is told apart by nothing but roundings.
 * Where cells of MongoDB's index meet, its answer is another one than that of a scan: these lines are left out where an index is asked.
 */
const longitudes = [
  -179.5, -60, -30, -20, -10, -5, -2, -1, 0.5, 1, 2, 3, 5, 6, 8, 9, 10, 15, 20, 25, 100, 110, 150, 179.5,
];
const latitudes = [-85, -60, -30, -10, -5, -2, -1, 0.5, 1, 2, 3, 5, 10, 20, 45, 50, 60, 70, 85, 89];
const seams = { longitudes: [-180, -135, -90, -45, 0, 0, 45, 90, 135, 180], latitudes: [-90, 0, 0, 0, 90] };

/** In degrees: what is less than a cell wide, about one, and more. */
const offsets = [1e-14, 1e-10, 1e-9, 1e-8, 3e-8, 6e-8, 1e-7, 3e-7, 1e-5, 0.1];

/** @param onSeams - whether positions lie where cells of an index meet */
export function generatePlaces(random: Random, { onSeams }: { readonly onSeams: boolean }): GeneratedPlaces {
  const world = new World(random, onSeams);
  const areas = Array.from({ length: 30 }, () => world.area());
  const documents = Array.from({ length: 120 }, (_, index) => world.document(`rec_${index}`));
  return { documents, filters: areas.map((area) => world.filter(area)) };
}

class World {
  readonly #random: Random;
  readonly #longitudes: readonly number[];
  readonly #latitudes: readonly number[];
  /** Of areas: what lies on them and beside them is what is hard to tell. */
  readonly #edges: (readonly [Position, Position])[] = [];

  constructor(random: Random, onSeams: boolean) {
    this.#random = random;
    this.#longitudes = onSeams ? [...longitudes, ...seams.longitudes] : longitudes;
    this.#latitudes = onSeams ? [...latitudes, ...seams.latitudes] : latitudes;
  }

  #share(): number {
    return this.#random.below(2 ** 30) / 2 ** 30;
  }

  #position(): Position {
    const { pick, chance, below } = this.#random;
    if (chance(70)) return [pick(this.#longitudes), pick(this.#latitudes)];
    return [(below(3_600_000) + 0.3) / 1e4 - 180, (below(1_780_000) + 0.3) / 1e4 - 89];
  }

  /** A corner of an area, or a position on one of its edges or beside. */
  #near(least: number): Position {
    const { pick, chance } = this.#random;
    if (this.#edges.length === 0 || chance(20)) return this.#position();
    const [a, b] = pick(this.#edges);
    if (chance(25)) return a;
    const share = pick([0.5, this.#share(), this.#share()]);
    // Between two positions on the map, which is an edge where that is a meridian, or on the way between them on the globe.
    const on = chance(50)
      ? ([a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])] as const)
      : between(a, b, share);
    const offset = least === 0 && chance(30) ? 0 : pick(offsets.filter((each) => each >= least));
    return onGlobe([on[0] + offset * (2 * this.#share() - 1), on[1] + offset * (2 * this.#share() - 1)]);
  }

  #box(): Chain[] {
    const { pick, below, chance } = this.#random;
    const [west, east] = this.#pair([...new Set(this.#longitudes)].toSorted((a, b) => a - b));
    const [south, north] = this.#pair([...new Set(this.#latitudes)].toSorted((a, b) => a - b));
    if (west === undefined || east === undefined || south === undefined || north === undefined) return [];
    const outer = box(west, south, east, north);
    const shell = chance(30) ? outer.toReversed() : outer;
    if (chance(60)) return [shell];
    const inner = (low: number, high: number): number => low + ((high - low) * (1 + below(3))) / 8;
    const hole = box(inner(west, east), inner(south, north), inner(east, west), inner(north, south));
    return pick([[shell, hole], [shell]]);
  }

  #pair(values: readonly number[]): readonly (number | undefined)[] {
    const from = this.#random.below(values.length - 1);
    return [values[from], values[Math.min(values.length - 1, from + 1 + this.#random.below(6))]];
  }

  /** Of up to thirty corners around a position, of a centimetre or of half a continent. */
  #star(): Chain[] {
    const { pick, below } = this.#random;
    const [longitude, latitude] = this.#near(0);
    const [corners, radius] = [3 + below(28), pick([1e-7, 1e-5, 0.01, 1, 10, 40])];
    const ring = Array.from({ length: corners }, (_, index): Position => {
      const [angle, away] = [(2 * Math.PI * index) / corners, radius * (0.5 + this.#share() / 2)];
      return onGlobe([longitude + away * Math.cos(angle), latitude + away * Math.sin(angle)]);
    });
    return [[...ring, ring[0]!]];
  }

  #surface(): Chain[] {
    return this.#random.chance(60) ? this.#box() : this.#star();
  }

  #line(): Chain {
    return Array.from({ length: 2 + this.#random.below(4) }, () => this.#near(1e-7));
  }

  #geometry(types: readonly string[]): Json {
    const { pick, below } = this.#random;
    const several = <T>(make: () => T): T[] => Array.from({ length: 1 + below(3) }, make);
    const type = pick(types);
    switch (type) {
      case 'Point':
        return { type, coordinates: this.#near(0) };
      case 'MultiPoint':
        return { type, coordinates: several(() => this.#near(0)) };
      case 'LineString':
        return { type, coordinates: this.#line() };
      case 'MultiLineString':
        return { type, coordinates: several(() => this.#line()) };
      case 'Polygon':
        return { type, coordinates: this.#surface() };
      default:
        return { type, coordinates: several(() => this.#surface()) };
    }
  }

  /** What `$geoWithin` or `$geoIntersects` is asked. */
  area(): Json {
    const { chance, pick } = this.#random;
    if (chance(20)) {
      const radians = pick([0, 1e-9, 1e-6, 0.01, 0.1, 1, Math.PI / 2, 2, Math.PI]);
      return { $geoWithin: { $centerSphere: [this.#near(0), radians] } };
    }
    const isWithin = chance(50);
    const surfaces = ['Polygon', 'Polygon', 'MultiPolygon'];
    const others = ['Point', 'MultiPoint', 'LineString', 'MultiLineString'];
    const geometry = this.#geometry(isWithin ? surfaces : [...surfaces, ...others]);
    this.#remember(geometry.coordinates);
    return { [isWithin ? '$geoWithin' : '$geoIntersects']: { $geometry: geometry } };
  }

  #remember(coordinates: unknown): void {
    if (!Array.isArray(coordinates) || !Array.isArray(coordinates[0])) return;
    if (typeof coordinates[0][0] !== 'number') {
      for (const each of coordinates) this.#remember(each);
      return;
    }
    const chain = coordinates as Position[];
    for (const [index, position] of chain.entries()) this.#edges.push([position, chain[index + 1] ?? position]);
  }

  #place(): unknown {
    const { chance } = this.#random;
    if (chance(10)) return null;
    const all = ['MultiPoint', 'LineString', 'MultiLineString', 'Polygon', 'MultiPolygon'];
    return this.#geometry(chance(60) ? ['Point'] : all);
  }

  document(id: string): GeneratedDocument {
    const { chance, list } = this.#random;
    const other = { at: this.#geometry(['Point']) };
    return {
      _id: id,
      revision: 1,
      fields: {
        ...(chance(90) ? { at: this.#place() } : {}),
        ...(chance(40) ? { o: chance(80) ? other : {} } : {}),
        ...(chance(30) ? { list: list(3, () => ({ at: this.#geometry(['Point', 'LineString']) })) } : {}),
        n: id.length % 2,
      },
    };
  }

  filter(area: Json): Json {
    const { chance, pick } = this.#random;
    const atom: Json = { [pick(['at', 'at', 'at', 'at', 'o.at', 'list.at'])]: area };
    const [path] = Object.keys(atom) as [string];
    if (chance(60)) return atom;
    return pick([
      { [path]: { $not: area } },
      { $nor: [atom, { n: 1 }] },
      { $or: [atom, { n: 1 }] },
      { [path]: { ...area, $exists: true } },
      { $and: [atom, { [path]: { $ne: null } }] },
    ]);
  }
}

const box = (west: number, south: number, east: number, north: number): Chain => [
  [west, south],
  [east, south],
  [east, north],
  [west, north],
  [west, south],
];

function between(a: Position, b: Position, share: number): Position {
  const [from, to] = [pointAt(a), pointAt(b)];
  const [x, y, z] = [from.x, from.y, from.z].map((each, axis) => each + share * ([to.x, to.y, to.z][axis]! - each));
  const degrees = (radians: number): number => (radians * 180) / Math.PI;
  return [degrees(Math.atan2(y!, x!)), degrees(Math.atan2(z!, Math.hypot(x!, y!)))];
}

/** Beyond 180 degrees one goes on from the other side; beyond a pole there is nothing. */
const onGlobe = ([longitude, latitude]: Position): Position => [
  longitude > 180 ? longitude - 360 : longitude < -180 ? longitude + 360 : longitude,
  Math.max(-89.9, Math.min(89.9, latitude)),
];
