import { registerHooks } from 'node:module';

// Preloaded by a test: whoever loads OpenTelemetry's SDK ends with an error. Its API, an interface that does nothing by itself,
// prom-client loads.
registerHooks({
  resolve(specifier, context, next) {
    if (/^@opentelemetry\/(?!api)/.test(specifier)) throw new Error(`${specifier} is loaded`);
    return next(specifier, context);
  },
});
