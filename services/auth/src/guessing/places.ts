/** What is counted of one budget. `taken` and `cleared` only rise: of two tellings the later is the one that has taken more. */
export interface Places {
  readonly taken: number;
  /** All up to this one are forgiven. */
  readonly cleared: number;
  /** Of those that are not: nothing was looked at after all. */
  readonly givenBack: number;
  /** Which of them each device holds, where devices are counted apart: a list is forgiven as its numbers are. */
  readonly devices: Readonly<Record<string, readonly number[]>>;
}

/** Nothing was taken. */
export const noPlaces: Places = { taken: 0, cleared: 0, givenBack: 0, devices: {} };

/** How many places are taken and neither forgiven nor given back. */
export const heldOf = ({ taken, cleared, givenBack }: Omit<Places, 'devices'>): number =>
  Math.max(0, taken - cleared - givenBack);

/** How many of them are a device's. */
export const heldBy = ({ cleared, devices }: Places, device: string): number =>
  (devices[device] ?? []).filter((number) => number > cleared).length;

/** Only what is held is kept of devices: they are never more than there are places. */
const withDevices = (places: Places, devices: Places['devices']): Places => {
  const held = Object.entries(devices).flatMap(([device, numbers]) => {
    const left = numbers.filter((number) => number > places.cleared);
    return left.length === 0 ? [] : [[device, left] as const];
  });
  return { ...places, devices: Object.fromEntries(held) };
};

/** A further place is taken. @param device - by which, where devices are counted apart */
export const takePlace = (places: Places, device?: string): Places => {
  const taken = places.taken + 1;
  const own = device === undefined ? {} : { [device]: [...(places.devices[device] ?? []), taken] };
  return withDevices({ ...places, taken }, { ...places.devices, ...own });
};

/** All up to a number are forgiven. */
export const forgive = (places: Places, number: number): Places =>
  number <= places.cleared
    ? places
    : withDevices({ ...places, cleared: Math.min(number, places.taken), givenBack: 0 }, places.devices);

/** One is given back. @param device - that has taken it */
export const returnPlace = (places: Places, number: number, device?: string): Places => {
  if (number <= places.cleared) return places;
  const own =
    device === undefined ? {} : { [device]: (places.devices[device] ?? []).filter((each) => each !== number) };
  return withDevices({ ...places, givenBack: places.givenBack + 1 }, { ...places.devices, ...own });
};
