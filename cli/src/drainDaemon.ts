import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { serviceCalls } from '@mediasoup-server/backend-client/calls';
import { type ChannelTls, openChannel } from '@mediasoup-server/backend-client/channel';
import { MediaDaemon } from '@mediasoup-server/proto/daemon';
import type { DaemonInfo } from '@mediasoup-server/proto/http';
import { CliError } from './CliError.ts';

/** The deadline of one command, ms. */
const DEADLINE_MS = 5000;

/** What the daemon has not moved yet. */
export type DrainLeft = { readonly rooms: number; readonly peers: number };

export type DrainSettings = {
  /** Asks for a command token with the scopes `daemon:drain` and `rooms:read`. */
  readonly token: () => Promise<string>;
  readonly tls: ChannelTls | undefined;
  /** Whether to wait for the end. */
  readonly watch: boolean;
  /** Seconds that peers have to move; the daemon's setting by default. */
  readonly deadline?: number | undefined;
};

/**
 * Commands a daemon to move its rooms away and to end, and watches it.
 *
 * @param progressed called with each progress that the daemon reports.
 * @returns what was left when the daemon ended; what it began with if `watch` is false.
 * @throws CliError when it cannot be reached or refuses.
 */
export async function drainDaemon(
  { daemonId, incarnation, grpcAddress }: Pick<DaemonInfo, 'daemonId' | 'incarnation' | 'grpcAddress'>,
  { token, tls, watch, deadline }: DrainSettings,
  progressed: (left: DrainLeft) => void,
): Promise<DrainLeft> {
  const client = openChannel(grpcAddress, tls);
  const calls = serviceCalls(MediaDaemon, client);
  let metadata = bearing(await token());
  const asked = deadline === undefined ? {} : { deadline: { seconds: BigInt(deadline) } };
  const soon = () => ({ metadata, deadline: Date.now() + DEADLINE_MS });
  const fail = ({ code, details, message }: ServiceError) => {
    const reason = details || message;
    if (code !== status.UNAVAILABLE) throw new CliError(`${daemonId} at ${grpcAddress}: ${reason}`);
    const hint = 'if its gRPC server speaks TLS, use --tls, --ca, --cert and --key';
    throw new CliError(`cannot reach ${daemonId} at ${grpcAddress}: ${withoutNotes(reason)} (${hint})`, 3);
  };
  try {
    const { incarnation: found } = await calls.getInfo({}, soon()).catch(fail);
    if (found !== incarnation) throw new CliError(`${daemonId} has restarted meanwhile; nothing was drained`);
    const isAlive = async (): Promise<boolean> => {
      try {
        return isSame(incarnation)(await calls.getInfo({}, soon()));
      } catch (error) {
        if ((error as ServiceError).code !== status.UNAUTHENTICATED) return false;
      }
      // The drain may last longer than the token.
      metadata = bearing(await token());
      return calls.getInfo({}, soon()).then(isSame(incarnation), () => false);
    };
    let left: DrainLeft | undefined;
    let cursor = '';
    let drained = false;
    do {
      try {
        for await (const { message, cursor: reached } of calls.watchEvents({ cursor }, { metadata })) {
          cursor = reached;
          if (!drained) {
            // The stream is open, so no progress is missed.
            left = await calls.drain(asked, soon()).catch(fail);
            drained = true;
            if (!watch) return left;
          }
          if (message.case !== 'event' || message.value.kind.case !== 'drainProgress') continue;
          left = message.value.kind.value;
          progressed(left);
        }
      } catch (error) {
        if (error instanceof CliError) throw error;
        if (!drained) fail(error as ServiceError);
      }
      // A broken stream does not mean that the daemon has ended: ask it.
    } while (await isAlive());
    return left ?? { rooms: 0, peers: 0 };
  } finally {
    client.close();
  }
}

function bearing(token: string): Metadata {
  const metadata = new Metadata();
  metadata.set('authorization', `Bearer ${token}`);
  return metadata;
}

const isSame = (incarnation: string) => (info: { incarnation: string }) => info.incarnation === incarnation;

/** The cause of a failed connection, without the notes that grpc-js adds. */
const withoutNotes = (details: string): string =>
  /Last error: (?:Error: )?(.+?)\s*(?:\(\d{4}-[\w:.-]+\))?\. Resolution note/s.exec(details)?.[1] ?? details;
