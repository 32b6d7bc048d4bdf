// The dependency rules of docs/architecture.md. packages/stack/src/workspace/dependency-rules.int.spec.ts breaks each of
// them once and expects to be told.
const only = (name, from, allowed) => ({
  name,
  severity: 'error',
  comment: `packages/${from} may import ${allowed.length === 0 ? 'no other package of ours' : allowed.join(', ')}.`,
  from: { path: `^packages/${from}/` },
  to: { path: '^(packages|services)/', pathNot: [from, ...allowed].map((each) => `^packages/${each}/`) },
});

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    {
      name: 'no-service-to-service',
      severity: 'error',
      comment: 'A service never imports another service: they share contracts and events.',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'no-service-to-tools',
      severity: 'error',
      comment: 'stack and sdk are tools around the services, not part of them.',
      from: { path: '^services/' },
      to: { path: '^packages/(stack|sdk)/' },
    },
    {
      name: 'no-package-to-service',
      severity: 'error',
      comment: 'Packages know nothing of the services that use them.',
      from: { path: '^packages/' },
      to: { path: '^services/' },
    },
    only('contracts-imports-nothing', 'contracts', []),
    only('telemetry-imports-nothing', 'telemetry', []),
    only('stack-imports-nothing', 'stack', []),
    only('cache-imports-telemetry', 'cache', ['telemetry']),
    only('events-imports', 'events', ['contracts', 'telemetry']),
    {
      name: 'events-without-redis',
      severity: 'error',
      comment:
        'What decides over events, effects and their order is in MongoDB and Kafka: Redis may forget everything.',
      from: { path: '^packages/events/' },
      to: { path: '(^|/)(ioredis|redis)(/|$)' },
    },
    only('service-imports', 'service', ['contracts', 'telemetry']),
    only('sdk-imports-contracts', 'sdk', ['contracts']),
    {
      name: 'tests-only',
      severity: 'error',
      comment: 'Fault kits and test harnesses are imported by tests alone.',
      from: { path: '^(packages|services|examples)/', pathNot: ['\\.spec\\.ts$', '/(testing|faults)/'] },
      to: { path: '/(testing|faults)/|\\.spec\\.ts$' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'A cycle has no top to read from.',
      from: {},
      to: { circular: true },
    },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|node_modules|\\.test)/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['development', 'import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};
