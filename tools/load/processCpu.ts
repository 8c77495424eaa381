import { readdir, readFile } from 'node:fs/promises';

/** Seconds of CPU time that a process has used, with those that it started: a daemon and its workers. By process id. */
export async function cpuSeconds(pid: number): Promise<Map<number, number>> {
  const used = new Map([[pid, await own(pid)]]);
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8');
    for (const child of children.trim().split(' ').filter(Boolean))
      for (const [id, seconds] of await cpuSeconds(Number(child))) used.set(id, seconds);
  }
  return used;
}

/** To the nanosecond, which /proc/PID/stat is not. */
async function own(pid: number): Promise<number> {
  let nanos = 0;
  for (const task of await readdir(`/proc/${pid}/task`))
    nanos += Number((await readFile(`/proc/${pid}/task/${task}/schedstat`, 'utf8')).split(' ')[0]);
  return nanos / 1e9;
}
