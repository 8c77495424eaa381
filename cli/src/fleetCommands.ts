import { readDaemonTls } from '@mediasoup-server/control-plane/daemon-tls';
import type { DaemonInfo, RoomInfo } from '@mediasoup-server/proto/http';
import { type Command, Option } from 'commander';
import { CliError } from './CliError.ts';
import type { CommandContext, CommonOptions } from './CommandContext.ts';
import { ControlPlaneApi, type ControlPlaneOptions, type Page, type PageRequest } from './ControlPlaneApi.ts';
import { drainDaemon } from './drainDaemon.ts';
import { type Candidate, explainPlacement } from './explainPlacement.ts';
import { httpUrl, id, wholeNumber } from './optionValue.ts';

type AskingOptions = CommonOptions & ControlPlaneOptions;
type PageOptions = AskingOptions & { limit?: number; cursor?: string };
type ExplainOptions = AskingOptions & { region?: string; suspectAfterMs: number };
type DrainOptions = AskingOptions & {
  wait: boolean;
  deadline?: number;
  tls?: true;
  ca?: string;
  cert?: string;
  key?: string;
};

/** The largest page that the control plane answers. */
const MAX_PAGE = 1000;

/** How many of its workers send several packets in one call, and how that goes. */
function batchingText({ batching }: DaemonInfo['load']): string {
  if (!batching) return '-';
  const { workers, batchingWorkers, packetsPerMessage, refusedMessages } = batching;
  return `${batchingWorkers}/${workers} workers, ${packetsPerMessage.toFixed(1)} packets a message, ${refusedMessages} refused`;
}

/** The commands that call the control plane and the daemons. */
export function addFleetCommands({ command, output, stderr }: CommandContext): void {
  /** A command that calls the control plane. */
  const asking = (names: string, summary: string): Command =>
    command(names, summary)
      .addOption(
        new Option('--control-plane <url>', 'the URL of the control plane')
          .env('MEDIASOUP_SERVER_URL')
          .argParser(httpUrl)
          .default('http://127.0.0.1:3000'),
      )
      .addOption(
        new Option('--token <jwt>', 'an access token for all rooms with the grant admin; not needed in mode open').env(
          'MEDIASOUP_SERVER_TOKEN',
        ),
      );
  const listing = (names: string, summary: string): Command =>
    asking(names, summary)
      .option('--limit <n>', 'the most entries to list; all by default', wholeNumber(1))
      .option('--cursor <cursor>', 'continue where the previous list ended');

  async function list<T extends object>(
    read: (page: PageRequest) => Promise<Page<T>>,
    options: PageOptions,
    columns: Readonly<Record<string, (item: T) => unknown>>,
  ): Promise<void> {
    const answer = output(options);
    let { limit: left, cursor } = options;
    let first = true;
    do {
      const page = await read({ limit: left === undefined ? undefined : Math.min(left, MAX_PAGE), cursor });
      answer.page(page.items, columns, first);
      first = false;
      cursor = page.cursor;
      if (left !== undefined) left -= page.items.length;
    } while (cursor !== undefined && left !== 0);
    if (cursor === undefined) return;
    if (options.json) answer.answer({ cursor }, '');
    else stderr.write(`there is more: --cursor ${cursor}\n`);
  }

  listing('daemons list', 'Lists the media daemons.').action((options: PageOptions) => {
    const api = new ControlPlaneApi(options);
    return list((page) => api.daemons(page), options, {
      daemon: ({ daemonId }: DaemonInfo) => daemonId,
      state: ({ state }) => state,
      region: ({ region }) => region,
      zone: ({ zone }) => zone,
      version: ({ version }) => version,
      rooms: ({ load }) => load.rooms,
      peers: ({ load }) => load.peers,
      headroom: ({ headroom }) => headroom,
      batching: ({ load }) => batchingText(load),
      heartbeat: ({ heartbeatAt }) => heartbeatAt,
    });
  });

  listing('rooms list', 'Lists the rooms and their daemons.').action((options: PageOptions) => {
    const api = new ControlPlaneApi(options);
    return list((page) => api.rooms(page), options, {
      room: ({ roomId }: RoomInfo) => JSON.stringify(roomId),
      epoch: ({ epoch }) => epoch,
      daemons: ({ instances }) => instances.map(({ daemonId }) => daemonId).join(','),
      since: ({ updatedAt }) => updatedAt,
    });
  });

  asking('rooms explain', 'Explains why a room is on its daemon, and where it would go if it were placed now.')
    .argument('<roomId>', 'the room', id)
    .option('--region <region>', 'the region that the next peer asks for')
    .option('--suspect-after-ms <ms>', "the control plane's setting of that name", wholeNumber(1), 6000)
    .action(async (roomId: string, options: ExplainOptions) => {
      const api = new ControlPlaneApi(options);
      const [room, daemons] = await Promise.all([api.instances(roomId), api.allDaemons()]);
      const explanation = await explainPlacement(roomId, room, daemons, { ...options, now: Date.now() });
      const { candidates, why, epoch } = explanation;
      const answer = output(options);
      answer.answer(explanation, `${JSON.stringify(roomId)}${epoch ? `, epoch ${epoch}` : ''}: ${why}.`);
      if (!options.json) {
        answer.page(candidates, {
          rank: ({ rank }: Candidate) => rank ?? '-',
          daemon: ({ daemonId }) => daemonId,
          region: ({ region }) => region,
          state: ({ state }) => state,
          load: ({ load }) => load,
          headroom: ({ headroom }) => headroom,
          'heartbeat age ms': ({ heartbeatAgeMs }) => heartbeatAgeMs,
          why: ({ why }) => why,
        });
      }
    });

  asking('daemons drain', 'Makes a daemon move its rooms away and end, and watches it until it has ended.')
    .argument('<daemonId>', 'the daemon')
    .option('--deadline <seconds>', "how long peers have to move; the daemon's setting by default", wholeNumber(1))
    .option('--no-wait', 'do not wait for the end')
    .option('--tls', 'the gRPC server of the daemon speaks TLS')
    .option('--ca <file>', 'PEM file with the certificate authorities of the daemon; the public ones by default')
    .option('--cert <file>', "PEM file with the operator's client certificate")
    .option('--key <file>', "PEM file with that certificate's key")
    .action(async (daemonId: string, options: DrainOptions) => {
      const tls = await readTls(options);
      const api = new ControlPlaneApi(options);
      const daemon = (await api.allDaemons()).find((one) => one.daemonId === daemonId);
      if (!daemon) throw new CliError(`there is no daemon ${JSON.stringify(daemonId)}`);
      const token = () => api.commandToken(['daemon:drain', 'rooms:read']);
      const answer = output(options);
      const say = (text: string) => (left: { rooms: number; peers: number }) =>
        answer.answer(
          { daemonId, event: text, rooms: left.rooms, peers: left.peers },
          `${daemonId} ${text}; rooms: ${left.rooms}, peers: ${left.peers}`,
        );
      const left = await drainDaemon(
        daemon,
        { token, tls, watch: options.wait, deadline: options.deadline },
        say('drains'),
      );
      say(options.wait ? 'has ended' : 'was told to drain')(left);
      if (options.wait && left.peers > 0)
        throw new CliError(`${daemonId} ended at its deadline, with peers in its rooms`);
    });
}

function readTls({ tls, ca, cert, key }: DrainOptions) {
  if ((cert === undefined) !== (key === undefined)) throw new CliError('--cert and --key come together', 2);
  return readDaemonTls({
    daemonTls: [tls, ca, cert, key].some((given) => given !== undefined),
    daemonCaFile: ca,
    daemonClientCertFile: cert,
    daemonClientKeyFile: key,
  });
}
