import { parseArgs } from 'node:util';

export const USAGE = `usage: make load ARGS='[options]'

  --url URL              a control plane (http, https) or a media daemon (ws, wss); without it, a daemon is started here
  --token-secret-file F  the secret that the control plane checks access tokens with, where its mode is jwt
  --rooms N              1
  --publishers N         of each room; 1
  --subscribers N        of each room; 10
  --audio false          no sound: 50 packets a second of Opus, 32 kbps
  --fps N                frames of VP8 a second; 30 make 500 kbps, 0 none
  --seconds N            how long is measured when everybody is in; 10
  --joins-per-second N   40
  --grow N               afterwards adds N subscribers to each room at a time, until one does not receive everything
  --json FILE            writes the summary and what each subscriber received

Ends with 0 when it has measured, 1 when not everybody could join, 2 when the options make no sense.
`;

const defaults = {
  rooms: '1',
  publishers: '1',
  subscribers: '10',
  audio: 'true',
  fps: '30',
  seconds: '10',
  'joins-per-second': '40',
  grow: '0',
};

/** The options of `make load`. */
export type Options = {
  readonly url: string | undefined;
  readonly tokenSecretFile: string | undefined;
  readonly rooms: number;
  readonly publishers: number;
  readonly subscribers: number;
  readonly audio: boolean;
  readonly fps: number;
  readonly seconds: number;
  readonly joinsPerSecond: number;
  readonly grow: number;
  readonly json: string | undefined;
};

/**
 * Reads the command line; undefined when it asks for help.
 *
 * @throws Error that names the invalid option.
 */
export function readOptions(args: readonly string[]): Options | undefined {
  const texts = ['url', 'token-secret-file', 'json', ...Object.keys(defaults)];
  const { values: given } = parseArgs({
    args: [...args],
    options: { help: { type: 'boolean' }, ...Object.fromEntries(texts.map((name) => [name, { type: 'string' }])) },
  });
  if (given.help) return undefined;
  const values: Record<string, string | undefined> = { ...defaults, ...(given as Record<string, string>) };

  const number = (name: keyof typeof defaults, is: (value: number) => boolean, what: string): number => {
    const value = Number(values[name]);
    if (values[name]?.trim() && is(value)) return value;
    throw new Error(`--${name} is ${what}, not ${JSON.stringify(values[name])}`);
  };
  const count = (name: keyof typeof defaults, least: number) =>
    number(name, (value) => Number.isSafeInteger(value) && value >= least, `a whole number from ${least} on`);
  const positive = (name: keyof typeof defaults) =>
    number(name, (value) => Number.isFinite(value) && value > 0, 'a number above 0');

  const options = {
    url: checkedUrl(values.url),
    tokenSecretFile: values['token-secret-file'],
    rooms: count('rooms', 1),
    publishers: count('publishers', 1),
    subscribers: count('subscribers', 0),
    audio: values.audio === 'true',
    fps: count('fps', 0),
    seconds: positive('seconds'),
    joinsPerSecond: positive('joins-per-second'),
    grow: count('grow', 0),
    json: values.json,
  };
  if (values.audio !== 'true' && values.audio !== 'false')
    throw new Error(`--audio is true or false, not ${JSON.stringify(values.audio)}`);
  if (!options.audio && options.fps === 0) throw new Error('with --audio false and --fps 0 nothing would be sent');
  if (options.tokenSecretFile !== undefined && !options.url?.startsWith('http'))
    throw new Error('--token-secret-file is of a control plane, which --url names with http or https');
  return options;
}

function checkedUrl(url: string | undefined): string | undefined {
  if (url === undefined) return undefined;
  const isKnown = /^(https?|wss?):$/.test(URL.parse(url)?.protocol ?? '');
  if (!isKnown) throw new Error(`--url begins with http://, https://, ws:// or wss://, not as ${JSON.stringify(url)}`);
  return url;
}
