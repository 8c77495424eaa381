import type { APIGatewayProxyEventV2 } from 'aws-lambda';

type Sent = {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly stage?: string;
  /** Whether the gateway takes the body for binary. */
  readonly binary?: boolean;
};

/**
 * The event (payload format 2.0) that an API Gateway HTTP API makes of a request: the path is decoded and has a named stage
 * before it, cookies are apart from the other headers, values of one query parameter are joined.
 */
export function gatewayEvent(method: string, url: string, sent: Sent = {}): APIGatewayProxyEventV2 {
  const { headers = {}, body, stage = '$default', binary = false } = sent;
  const [written = '', rawQueryString = ''] = url.split('?');
  const rawPath = (stage === '$default' ? '' : `/${stage}`) + decodeURIComponent(written);
  const { cookie, ...others } = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(rawQueryString))
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString,
    ...(cookie !== undefined && { cookies: cookie.split('; ') }),
    headers: {
      host: 'id.execute-api.us-east-1.amazonaws.com',
      'user-agent': 'agent',
      'x-amzn-trace-id': 'Root=1-5fff599f-6fca6ee66e37fe5e518eb45b',
      'x-forwarded-for': '192.0.2.1',
      'x-forwarded-port': '443',
      'x-forwarded-proto': 'https',
      ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
      ...others,
    },
    ...(rawQueryString !== '' && { queryStringParameters: query }),
    requestContext: {
      accountId: '123456789012',
      apiId: 'id',
      domainName: 'id.execute-api.us-east-1.amazonaws.com',
      domainPrefix: 'id',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'agent' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: '$default',
      stage,
      time: '12/Mar/2026:19:03:58 +0000',
      timeEpoch: 1773342238000,
    },
    ...(body !== undefined && { body: binary ? Buffer.from(body).toString('base64') : body }),
    isBase64Encoded: binary,
  };
}
