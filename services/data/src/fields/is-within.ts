/** Whether a path is another one, or lies within it. */
export const isWithin = (path: readonly string[], outer: readonly string[]): boolean =>
  outer.length <= path.length && outer.every((segment, index) => path[index] === segment);
