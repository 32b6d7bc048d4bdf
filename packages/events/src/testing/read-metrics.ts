/** Metrics as a scrape gives them. */
export interface ScrapedMetrics {
  /** Names of families, without `_bucket`, `_sum` and `_count`. */
  readonly names: ReadonlySet<string>;
  /** The sum of the values of a series with these labels, whatever else it has; undefined where there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined;
}

const sample = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const label = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Reads Prometheus' text format, as far as services write it. */
export const readMetrics = (text: string): ScrapedMetrics => {
  const names = new Set<string>();
  const series: { name: string; labels: Map<string, string>; value: number }[] = [];
  for (const line of text.split('\n')) {
    const type = /^# TYPE (\S+) /.exec(line)?.[1];
    if (type !== undefined) names.add(type);
    const [, name, labels = '', value] = sample.exec(line) ?? [];
    if (name === undefined || line.startsWith('#')) continue;
    const pairs = [...labels.matchAll(label)].map(([, key = '', text = '']) => [key, text] as const);
    series.push({ name, labels: new Map(pairs), value: Number(value) });
  }
  return {
    names,
    value(name, labels = {}) {
      const wanted = Object.entries(labels);
      const found = series.filter((each) => each.name === name && wanted.every(([k, v]) => each.labels.get(k) === v));
      return found.length === 0 ? undefined : found.reduce((sum, each) => sum + each.value, 0);
    },
  };
};
