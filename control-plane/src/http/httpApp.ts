import type { ServerResponse } from 'node:http';
import { answerProblem, notFound } from '@mediasoup-server/server-kit/problem';
import { inContext, requestIdFrom } from '@mediasoup-server/server-kit/requestContext';
import { securityHeaders } from '@mediasoup-server/server-kit/securityHeaders';
import express, { type Express, type RequestHandler, type Router } from 'express';
import type { Metrics } from '../metrics.ts';
import type { Config } from '../settingsSchema.ts';
import type { Authorization } from './Authorization.ts';
import { cors } from './cors.ts';
import type { DaemonRoutesParts } from './daemonRoutes.ts';
import { healthRoutes } from './healthRoutes.ts';
import { operatorRoutes } from './operatorRoutes.ts';
import { perMinute } from './rateLimit.ts';
import { checkPathEncoding } from './requestFields.ts';
import { roomRoutes } from './roomRoutes.ts';

export type HttpAppParts = DaemonRoutesParts & {
  readonly authorization: Authorization;
  readonly http: Pick<Config['http'], 'trustedProxies' | 'corsOrigins' | 'staticDir' | 'staticSecurityPolicy'>;
  readonly limits: Pick<Config['limits'], 'assignmentsPerMinute' | 'requestsPerMinute'>;
};

/** The HTTP API, with the web page behind it. */
export function createHttpApp(parts: HttpAppParts): Express {
  const { directory, keys, authorization, metrics, http, limits } = parts;
  const app = express();
  app.set('trust proxy', [...http.trustedProxies]);
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing').enable('strict routing');
  app.use(nameRequest, countRequests(metrics), cors(http.corsOrigins), securityHeaders, checkPathEncoding);
  // Before the rate limits: health checks of load balancers, and the requests of daemons.
  app.use(healthRoutes({ ...directory, keys }), daemonRoutesOnceAsked(parts));
  app.use(['/rooms', '/daemons', '/command-tokens'], perMinute('requests', limits.requestsPerMinute, metrics));
  app.post('/rooms/:roomId/assignments', perMinute('assignments', limits.assignmentsPerMinute, metrics));
  app.use(operatorRoutes(directory, keys, authorization), roomRoutes(directory, keys, authorization, metrics));
  if (http.staticDir !== undefined) {
    const setHeaders = (response: ServerResponse) =>
      void response.setHeader('Content-Security-Policy', http.staticSecurityPolicy);
    app.use(express.static(http.staticDir, { redirect: false, setHeaders }));
  }
  app.use(
    notFound,
    answerProblem((error, { method, path }) => directory.logger.error({ err: error, method, path }, 'request failed')),
  );
  return app;
}

/** Loads the routes of daemons at their first request, so that a Lambda function starts faster for a frontend. */
function daemonRoutesOnceAsked(parts: DaemonRoutesParts): RequestHandler {
  let loading: Promise<Router> | undefined;
  return async (request, response, next) => {
    if (!request.path.startsWith('/daemons/')) {
      next();
      return;
    }
    loading ??= import('./daemonRoutes.ts').then(({ daemonRoutes }) => daemonRoutes(parts));
    (await loading)(request, response, next);
  };
}

/** Gives each request an id, the caller's or a new one. The answer and the log lines carry it. */
const nameRequest: RequestHandler = (request, response, next) => {
  const requestId = requestIdFrom(request.get('x-request-id'));
  response.set('X-Request-Id', requestId);
  inContext({ requestId }, next);
};

/** Counts and times by the route's pattern, never by the path, which holds ids. */
const countRequests =
  ({ httpRequests, httpRequestSeconds }: Metrics): RequestHandler =>
  (request, response, next) => {
    const stopTimer = httpRequestSeconds.startTimer();
    response.once('close', () => {
      const route = typeof request.route?.path === 'string' ? request.route.path : 'none';
      const { method } = request;
      stopTimer({ route, method });
      httpRequests.inc({ route, method, status: response.statusCode });
    });
    next();
  };
