import { execFileSync } from 'node:child_process';

const nft = (...words: string[]): void => void execFileSync('nft', words, { stdio: ['ignore', 'ignore', 'inherit'] });
const TABLE = ['inet', 'blocked'];

/** Drops all packets to and from some ports of this network namespace, as if the host's network were cut. */
export class Blocked {
  /** @param ports of TCP and UDP. */
  static begin(ports: readonly number[]): Blocked {
    const set = `{ ${ports.join(', ')} }`;
    nft('add', 'table', ...TABLE);
    // On input, because a packet dropped on output makes `sendto` fail, which no network does.
    nft('add', 'chain', ...TABLE, 'arriving', '{ type filter hook input priority 0; }');
    for (const protocol of ['udp', 'tcp'])
      for (const end of ['dport', 'sport']) nft('add', 'rule', ...TABLE, 'arriving', protocol, end, set, 'drop');
    return new Blocked();
  }

  end(): void {
    nft('delete', 'table', ...TABLE);
  }
}
