import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findProblems } from './problems.ts';
import { readModules } from './readModules.ts';
import { instanceSettings } from './settings.ts';

const terraform = fileURLToPath(new URL('../../deploy/terraform', import.meta.url));

/** Faults that the test puts into a copy of the modules and examples, and the problem that each must cause. */
const breaks: readonly [file: string, from: string, to: string, said: RegExp][] = [
  [
    'modules/network/main.tf',
    'cidr_block           = var.cidr_block',
    'cidr_block = var.cidr_block',
    /network\/main\.tf: is not formatted/,
  ],
  [
    'modules/network/main.tf',
    'cidrsubnet(var.cidr_block, 4, each.value)',
    'cidrsubnet(var.cidr, 4, each.value)',
    /main\.tf: var\.cidr is not declared/,
  ],
  [
    'modules/network/main.tf',
    'allocation_id = aws_eip.nat[0].id',
    'allocation_id = aws_eip.not[0].id',
    /aws_eip\.not\.\S+ is not declared/,
  ],
  [
    'modules/network/endpoints.tf',
    'private_dns_enabled',
    'private_dns_enabeld',
    /aws_vpc_endpoint\.secretsmanager: there is no argument private_dns_enabeld/,
  ],
  [
    'modules/network/endpoints.tf',
    '  ip_protocol       = "tcp"\n',
    '',
    /ingress_rule\.endpoint: ip_protocol is missing/,
  ],
  [
    'modules/network/outputs.tf',
    'value       = aws_vpc.this.id',
    'value       = aws_vpc.this.identifier',
    /aws_vpc has no identifier/,
  ],
  ['modules/network/outputs.tf', '  description = "The VPC."\n', '', /network: output vpc_id has no description/],
  [
    'modules/network/variables.tf',
    'variable "tags"',
    'variable "unused" {\n  description = "None."\n  type        = string\n}\n\nvariable "tags"',
    /nothing refers to var\.unused/,
  ],
  [
    'modules/control-plane/tables.tf',
    'range_key                   = "daemonId"',
    'range_key                   = "id"',
    /daemons: range_key is not daemonId/,
  ],
  [
    'modules/control-plane/tables.tf',
    'attribute_name = "expiresAt"',
    'attribute_name = "expires"',
    /rooms: ttl is not expiresAt/,
  ],
  [
    'modules/control-plane/function.tf',
    'CONTROL_PLANE_CORS_ORIGINS ',
    'CONTROL_PLANE_CORS_ORIGIN  ',
    /there is no setting CONTROL_PLANE_CORS_ORIGIN\n/,
  ],
  [
    'modules/media-daemons/main.tf',
    '    DRAIN_SECONDS     = var.drain_seconds\n',
    '',
    /DRAIN_SECONDS is not given to instances/,
  ],
  [
    'modules/media-daemons/files/mediasoup-instance.sh',
    'MEDIA_DAEMON_WORKERS=$WORKERS',
    'MEDIA_DAEMON_WORKER=$WORKERS',
    /MEDIA_DAEMON_WORKER is not a setting/,
  ],
  ['modules/media-daemons/files/user-data.sh.tftpl', 'script}\n', 'scripts}\n', /user data is not given scripts/],
  [
    'examples/minimal/main.tf',
    '  availability_zones = slice',
    '  zones = slice',
    /minimal: module network has no input zones/,
  ],
  ['examples/minimal/main.tf', 'module.network.vpc_id', 'module.network.id', /module\.network\.id is not declared/],
];

test('the modules and examples have no problem, and each injected fault is found', async () => {
  assert.deepEqual(await findProblems(await readModules()), []);
  const folder = await mkdtemp(join(tmpdir(), 'terraform-check-'));
  for (const part of ['modules', 'examples']) await cp(join(terraform, part), join(folder, part), { recursive: true });
  for (const [file, from, to] of breaks) {
    const text = await readFile(join(folder, file), 'utf8');
    assert.ok(text.includes(from), `${file}: ${from}`);
    await writeFile(
      join(folder, file),
      text.replace(from, () => to),
    );
  }
  const found = `${(await findProblems(await readModules(folder))).join('\n')}\n`;
  for (const [, , , said] of breaks) assert.match(found, said);
  await rm(folder, { recursive: true });
});

test('a daemon starts in mode jwt over TLS with the settings that its instance writes', async () => {
  const script = await readFile(join(terraform, 'modules/media-daemons/files/mediasoup-instance.sh'), 'utf8');
  const settings = instanceSettings(script);
  assert.equal(settings.access.mode, 'jwt');
  assert.equal(settings.grpc.grpcAddress, 'i-0123456789abcdef0.media.example.com:50051');
  assert.equal(settings.rtc.rtcAnnouncedAddress, '192.0.2.7');
  assert.equal(settings.fleet.drainDeadlineMs, 600_000);
  assert.throws(() => instanceSettings(script.replace('MODE=jwt', 'MODE=closed')), /MEDIA_DAEMON_MODE/);
});
