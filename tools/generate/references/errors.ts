import { errorCodes } from '@mediasoup-server/proto/errorCodes';

/** A row for each code: the HTTP status, the gRPC status, the meaning. */
export function errorsTable(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { http, grpc, meaning }]) => `| \`${code}\` | ${http} | \`${grpc}\` | ${meaning} |`,
  );
  return ['| code | HTTP | gRPC | meaning |', '|---|---|---|---|', ...rows].join('\n');
}
