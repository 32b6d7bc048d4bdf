import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse, parseAllDocuments } from 'yaml';

import { settings as authSettings } from '../../../services/auth/src/config.ts';
import { settings as dataSettings } from '../../../services/data/src/config.ts';
import { settings as gatewaySettings } from '../../../services/gateway/src/config.ts';
import { settings as userSettings } from '../../../services/user/src/config.ts';

interface SettingRow {
  readonly env: string;
  readonly default?: unknown;
  readonly optional?: boolean;
}

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly ports?: readonly { readonly port: number; readonly targetPort: string }[];
    readonly template: {
      readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
      readonly spec: {
        readonly terminationGracePeriodSeconds: number;
        readonly containers: readonly {
          readonly image: string;
          readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
          readonly env: readonly { readonly name: string; readonly value?: string }[];
          readonly livenessProbe: Probe;
          readonly readinessProbe: Probe;
          readonly startupProbe: Probe;
        }[];
      };
    };
  };
}

const root = new URL('../../../', import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');
const manifestsOf = (path: string): Manifest[] =>
  parseAllDocuments(read(`deploy/k8s/base/${path}`)).map((each) => each.toJS() as Manifest);

const services: Readonly<Record<string, Readonly<Record<string, SettingRow>>>> = {
  gateway: gatewaySettings,
  auth: authSettings,
  user: userSettings,
  data: dataSettings,
};

describe('deployment', () => {
  const sharedValues = manifestsOf('settings.yaml')[0]?.data ?? {};
  const shared = Object.keys(sharedValues);
  const known = new Set(Object.values(services).flatMap((rows) => Object.values(rows).map(({ env }) => env)));

  it('builds and deploys the four services by skaffold', () => {
    const skaffold = parse(read('skaffold.yaml')) as {
      build: { artifacts: { image: string; docker: { buildArgs: { SERVICE: string } } }[] };
      manifests: { kustomize: { paths: string[] } };
    };
    const built = skaffold.build.artifacts.map(({ image, docker }) => [image, docker.buildArgs.SERVICE]);
    assert.deepEqual(
      built.sort(),
      Object.keys(services)
        .map((name) => [`causeway-${name}`, name])
        .sort(),
    );
    assert.deepEqual(skaffold.manifests.kustomize.paths, ['deploy/k8s/base']);
    const base = parse(read('deploy/k8s/base/kustomization.yaml')) as { resources: string[] };
    for (const name of Object.keys(services)) assert.ok(base.resources.includes(`${name}.yaml`));
  });

  it('builds on the Node that everything is tested with', () => {
    const [, version] = /^ARG NODE_IMAGE=node:([\d.]+)-/m.exec(read('deploy/docker/Dockerfile')) ?? [];
    const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, { version?: string }> };
    assert.equal(version, packages['node_modules/node']?.version);
  });

  it('shares only settings that a service has', () => {
    for (const name of shared) assert.ok(known.has(name), `no service has a setting ${name}`);
  });

  it('sends the services to each other at the names and ports of their Services', () => {
    for (const name of ['auth', 'user', 'data']) {
      const service = manifestsOf(`${name}.yaml`).find(({ kind }) => kind === 'Service');
      const address = `http://${service?.metadata.name}:${service?.spec.ports?.[0]?.port}`;
      assert.equal(sharedValues[`${name.toUpperCase()}_URL`], address);
    }
    assert.equal(sharedValues.JWKS_URL, `${sharedValues.AUTH_URL}/.well-known/jwks.json`);
  });

  for (const [name, rows] of Object.entries(services)) {
    describe(name, () => {
      const manifests = manifestsOf(`${name}.yaml`);
      const deployment = manifests.find(({ kind }) => kind === 'Deployment');
      const service = manifests.find(({ kind }) => kind === 'Service');
      const container = deployment?.spec.template.spec.containers[0];
      assert.ok(deployment && service && container);
      const byEnv = new Map(Object.values(rows).map((row) => [row.env, row]));

      it('listens where the Service and the configuration say', () => {
        const port = byEnv.get('PORT')?.default;
        const http = container.ports.find((each) => each.name === 'http')?.containerPort;
        assert.equal(http, port);
        assert.equal(container.env.find((each) => each.name === 'PORT')?.value, String(port));
        assert.deepEqual(
          service.spec.ports?.map((each) => [each.port, each.targetPort]),
          [[port, 'http']],
        );
        const operations = container.ports.find((each) => each.name === 'operations')?.containerPort;
        assert.equal(operations, byEnv.get('OPS_PORT')?.default);
        assert.equal(container.env.find((each) => each.name === 'OPS_PORT')?.value, String(operations));
        const scraped = deployment.spec.template.metadata.annotations;
        assert.equal(scraped['prometheus.io/port'], String(operations));
        for (const host of ['HOST', 'OPS_HOST']) {
          assert.equal(
            container.env.find((each) => each.name === host)?.value,
            '0.0.0.0',
            `${host} is loopback by default`,
          );
        }
      });

      it('is asked where it answers', () => {
        assert.deepEqual(container.readinessProbe.httpGet, { path: '/readyz', port: 'http' });
        assert.deepEqual(container.livenessProbe.httpGet, { path: '/healthz', port: 'http' });
        assert.deepEqual(container.startupProbe.httpGet, { path: '/healthz', port: 'http' });
      });

      it('gets every setting that it demands, and none that it does not know', () => {
        const given = container.env.map((each) => each.name);
        for (const each of given) assert.ok(byEnv.has(each), `${name} has no setting ${each}`);
        for (const row of byEnv.values()) {
          if (row.optional === true || row.default !== undefined) continue;
          assert.ok([...given, ...shared].includes(row.env), `${row.env} is not given`);
        }
      });

      it('is given the time to drain', () => {
        const drainMs = byEnv.get('SHUTDOWN_TIMEOUT')?.default;
        assert.ok(typeof drainMs === 'number');
        assert.ok(deployment.spec.template.spec.terminationGracePeriodSeconds * 1000 > drainMs);
      });
    });
  }
});
