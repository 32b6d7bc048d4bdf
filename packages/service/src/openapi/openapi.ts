import { faultCategories, faults, type FaultDeclaration, type FaultFactory } from '@causeway/contracts';
import { z } from 'zod';

import { parameterNames } from '../http/path-template.ts';
import { problemMediaType } from '../http/problem.ts';
import { insufficientAuthentication } from '../http/recent-authentication.ts';
import type { Route } from '../http/route.ts';
import { strictAtTop } from '../http/validate.ts';
import { crossSite } from '../identity/credentials.ts';

/** Part of an OpenAPI 3.1 document. */
export type OpenApiObject = Readonly<Record<string, unknown>>;

/** What a service documents: the gateway puts the services' together. */
export interface OpenApiPart {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, OpenApiObject>>;
  readonly components: OpenApiObject;
  /** Every problem that the routes may answer with, for the pages behind their `type`. */
  readonly 'x-problems': readonly ProblemDescription[];
}

/** A problem as its page explains it. */
export interface ProblemDescription {
  readonly code: string;
  readonly status: number;
  readonly title: string;
  readonly description: string;
}

const schemaOf = (schema: z.ZodType | OpenApiObject, io: 'input' | 'output'): OpenApiObject => {
  if (!(schema instanceof z.ZodType)) return schema;
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
};

/** The faults that follow from what a route declares. */
const impliedFaults = (route: Route): FaultFactory[] => {
  const body = route.body !== undefined || route.bodies !== undefined;
  return [
    faults.invalidRequest,
    faults.notAcceptable,
    faults.tooManyRequests,
    faults.internal,
    faults.badGateway,
    faults.unavailable,
    faults.timeout,
    ...(route.access === 'anonymous' ? [] : [faults.unauthenticated]),
    ...(route.access === 'anonymous' || route.method === 'get' ? [] : [crossSite]),
    ...(route.access === 'admin' ? [faults.forbidden] : []),
    ...(route.recent === undefined ? [] : [insufficientAuthentication]),
    ...(parameterNames(route.path).length > 0 ? [faults.notFound] : []),
    ...(body ? [faults.payloadTooLarge, faults.unsupportedMediaType] : []),
  ];
};

const declarationsOf = (route: Route): FaultDeclaration[] => {
  const all = [...impliedFaults(route), ...(route.faults ?? [])].map((each) => each.declaration);
  return [...new Map(all.map((each) => [each.code, each])).values()];
};

const statusOf = (declaration: FaultDeclaration): number => faultCategories[declaration.category].status;

const problemResponses = (route: Route): Record<string, OpenApiObject> => {
  const byStatus = Map.groupBy(declarationsOf(route), statusOf);
  return Object.fromEntries(
    [...byStatus].map(([status, declarations]) => [
      String(status),
      {
        description: declarations.map((each) => `\`${each.code}\`: ${each.title}.`).join(' '),
        content: { [problemMediaType]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
};

const successResponses = (route: Route): Record<string, OpenApiObject> =>
  Object.fromEntries(
    Object.entries(route.responses).map(([status, { description, schema, mediaTypes, headers }]) => {
      const types = mediaTypes ?? (schema === undefined ? [] : ['application/json']);
      const shape = (type: string): OpenApiObject =>
        schema !== undefined && /[/+]json$/.test(type)
          ? { schema: schemaOf(schema, 'output') }
          : { schema: { type: 'string' } };
      return [
        status,
        {
          description,
          ...(types.length > 0 && { content: Object.fromEntries(types.map((type) => [type, shape(type)])) }),
          ...(headers !== undefined && {
            headers: Object.fromEntries(
              Object.entries(headers).map(([name, header]) => [name, { ...header, schema: { type: 'string' } }]),
            ),
          }),
        },
      ];
    }),
  );

const parametersIn = (where: 'path' | 'query', schema: z.ZodObject): OpenApiObject[] => {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: where,
    required: where === 'path' || required.includes(name),
    ...(typeof property === 'object' && property.description !== undefined && { description: property.description }),
    schema: property,
  }));
};

const parametersOf = (route: Route): OpenApiObject[] => [
  ...(route.params === undefined
    ? parameterNames(route.path).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
    : parametersIn('path', route.params)),
  ...(route.query === undefined ? [] : parametersIn('query', route.query)),
  ...Object.entries(route.requestHeaders ?? {}).map(([name, header]) => ({
    name,
    in: 'header',
    required: false,
    ...header,
    schema: { type: 'string' },
  })),
];

const requestBodyOf = (route: Route): OpenApiObject | undefined => {
  const bodies = route.bodies ?? (route.body === undefined ? undefined : { 'application/json': route.body });
  if (bodies === undefined) return undefined;
  return {
    required: route.bodyOptional !== true,
    content: Object.fromEntries(
      Object.entries(bodies).map(([type, schema]) => [
        type,
        { schema: schema === 'stream' ? { type: 'string' } : schemaOf(strictAtTop(schema), 'input') },
      ]),
    ),
  };
};

const securityOf = (route: Route): OpenApiObject[] => {
  if (route.access === 'anonymous') return [];
  const either = [{ bearer: [] }, { cookie: [] }];
  return route.access === 'public' ? [{}, ...either] : either;
};

const operationOf = (route: Route): OpenApiObject => {
  const requestBody = requestBodyOf(route);
  const parameters = parametersOf(route);
  return {
    operationId: route.operationId,
    tags: [route.tag],
    summary: route.summary,
    ...(route.description !== undefined && { description: route.description }),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody !== undefined && { requestBody }),
    responses: { ...problemResponses(route), ...successResponses(route) },
    security: securityOf(route),
    'x-access': route.access,
  };
};

const problemSchema: OpenApiObject = {
  type: 'object',
  description: 'A problem document (RFC 9457).',
  required: ['type', 'title', 'status', 'code'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    requestId: { type: 'string' },
    progress: {
      type: 'object',
      description: 'How much of the call is done, and stays so, in counts of what was sent.',
      additionalProperties: { type: 'integer' },
    },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['code', 'message'],
        properties: {
          pointer: { type: 'string', description: 'JSON pointer into the body.' },
          parameter: { type: 'string', description: 'Name of a query, path or header parameter.' },
          code: { type: 'string' },
          message: { type: 'string' },
        },
      },
    },
  },
};

/** Every fault that these routes, or the app around them, may answer with. */
const problemsOf = (routes: readonly Route[]): ProblemDescription[] => {
  const generic = Object.values(faults).map((each) => each.declaration);
  const declared = new Map([...generic, ...routes.flatMap(declarationsOf)].map((each) => [each.code, each]));
  return [...declared.values()].map((each) => ({
    code: each.code,
    status: statusOf(each),
    title: each.title,
    description: each.description,
  }));
};

/**
 * The OpenAPI 3.1 document of a service's public routes.
 *
 * @param title - the service's name
 * @param routes - hidden ones are left out
 * @param version - of the interface
 */
export const openApiOf = (title: string, routes: readonly Route[], version = '1.0.0'): OpenApiPart => {
  const open = routes.filter((route) => route.hidden !== true);
  const paths: Record<string, Record<string, unknown>> = {};
  for (const route of open) (paths[route.path] ??= {})[route.method] = operationOf(route);
  return {
    openapi: '3.1.0',
    info: { title, version },
    paths,
    components: {
      schemas: { Problem: problemSchema },
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        cookie: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-causeway-access',
          description:
            'For browsers, from signing in with `delivery: "cookies"`. What changes something is taken from pages of this origin alone. Over plain HTTP on localhost the name has no `__Host-`.',
        },
      },
    },
    'x-problems': problemsOf(open),
  };
};
