import type { APIGatewayProxyEventV2 } from 'aws-lambda';
import { operations } from './http/operations.ts';

/** The API's paths with ids, those with the most of their own words first. */
const templates = Object.keys(operations)
  .filter((template) => template.includes('{'))
  .sort((a, b) => wordsOf(b).length - wordsOf(a).length)
  .map((template) => ({
    oneSegment: new RegExp(`^${template.replace(/\{\w+\}/g, '[^/]+')}$`, 'u'),
    anything: new RegExp(`^${template.replace(/\{\w+\}/g, '(.+)')}$`, 'su'),
    fill: (ids: readonly string[]) => {
      const [...left] = ids;
      return template.replace(/\{\w+\}/g, () => encode(left.shift() ?? ''));
    },
  }));

/**
 * The path of a request to an API Gateway HTTP API, encoded as its client wrote it. The gateway decodes it, so that an id
 * with a slash falls into several segments, and a "%" of an id is no encoding; and it puts a named stage before it.
 *
 * Segments that make no path of the API are taken for parts of an id. A "?" in an id is lost: the gateway cuts the path there.
 */
export function gatewayPath({ rawPath, requestContext: { stage } }: APIGatewayProxyEventV2): string {
  const path = stage !== '$default' && rawPath.startsWith(`/${stage}/`) ? rawPath.slice(stage.length + 1) : rawPath;
  if (!templates.some(({ oneSegment }) => oneSegment.test(path))) {
    for (const { anything, fill } of templates) {
      const [, ...ids] = anything.exec(path) ?? [];
      if (ids.length > 0) return fill(ids);
    }
  }
  return path.split('/').map(encode).join('/');
}

function wordsOf(template: string): string {
  return template.replace(/\{\w+\}/g, '');
}

/** Half a surrogate pair cannot be encoded. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}
