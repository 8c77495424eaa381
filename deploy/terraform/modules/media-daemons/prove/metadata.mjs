/*
 * Stands for the instance metadata service, version 2, of an instance. The file `lifecycle` of the folder STATE says what the
 * autoscaling group wants of it.
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const instanceId = process.argv[2];
const TOKEN = 'token';
const data = {
  'instance-id': () => instanceId,
  'local-ipv4': () => '10.40.0.7',
  'public-ipv4': () => '192.0.2.7',
  'placement/availability-zone': () => 'eu-central-1a',
  'placement/region': () => 'eu-central-1',
  'autoscaling/target-lifecycle-state': () => readFileSync(`${process.env.STATE}/lifecycle`, 'utf8').trim(),
};

createServer((request, response) => {
  const answer = (status, body) => response.writeHead(status).end(body);
  if (request.method === 'PUT' && request.url === '/latest/api/token') return answer(200, TOKEN);
  if (request.headers['x-aws-ec2-metadata-token'] !== TOKEN) return answer(401, '');
  const read = data[request.url.replace('/latest/meta-data/', '')];
  return read ? answer(200, read()) : answer(404, '');
}).listen(80, '169.254.169.254');
