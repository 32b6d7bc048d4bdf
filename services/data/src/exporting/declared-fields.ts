/** A JSON Schema, as far as it names the properties of an object. */
interface Node {
  readonly properties?: object;
  readonly $ref?: unknown;
  readonly allOf?: unknown;
}

/**
 * The fields that a schema declares, in its order: its own `properties`, then those of what `$ref` and `allOf` add within
 * the document. What a record may have besides (`additionalProperties`, `anyOf`) has no place in an order.
 *
 * @param schema - checked; a reference in it is a JSON pointer (RFC 6901) as a fragment
 */
export function declaredFields(schema: object): readonly string[] {
  const names = new Set<string>();
  const seen = new Set<object>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null || seen.has(node)) return;
    seen.add(node);
    const { properties, $ref, allOf } = node as Node;
    for (const name of Object.keys(properties ?? {})) names.add(name);
    if (typeof $ref === 'string') visit(resolve(schema, $ref));
    if (Array.isArray(allOf)) allOf.forEach(visit);
  };
  visit(schema);
  return [...names];
}

function resolve(schema: object, reference: string): unknown {
  if (!reference.startsWith('#')) return undefined;
  const tokens = decodeURIComponent(reference.slice(1)).split('/').slice(1);
  return tokens.reduce<unknown>((node, token) => {
    const name = token.replaceAll('~1', '/').replaceAll('~0', '~');
    const isThere = typeof node === 'object' && node !== null && Object.hasOwn(node, name);
    return isThere ? (node as Readonly<Record<string, unknown>>)[name] : undefined;
  }, schema);
}
