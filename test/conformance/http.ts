import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { findFreePort, listenOnLoopback } from '../entra/loopback.ts';
import type { ConformanceServer } from './server.ts';

/**
 * The command `http` as it is shipped, on loopback with a simulated tenant. The suite sends no token, so it speaks to a proxy
 * that adds the one which the server printed, and passes on everything else as it comes.
 */
export async function serveShipped(): Promise<ConformanceServer> {
  const port = await findFreePort();
  const args = ['dist/main.js', 'http', '--simulate', '--port', String(port), '--audit-log', 'off'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const token = await readToken(child);
  const proxy = await listenOnLoopback(
    createServer((incoming, response) => {
      const { method, url: path, headers } = incoming;
      const added = { ...headers, authorization: `Bearer ${token}` };
      const outgoing = request({ host: '127.0.0.1', port, method, path, headers: added }, (answer) => {
        response.writeHead(answer.statusCode ?? 0, answer.headers);
        answer.pipe(response);
      });
      outgoing.on('error', () => response.destroy());
      response.once('close', () => outgoing.destroy());
      incoming.pipe(outgoing);
    }),
  );
  return {
    url: `http://127.0.0.1:${proxy.port}/mcp`,
    // Nobody is asked there, so nothing that needs an approval is done.
    gatedRequests: () => 0,
    async close() {
      await proxy.close();
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}

function readToken(child: ChildProcess): Promise<string> {
  let stderr = '';
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (chunk) => {
      stderr += chunk;
      const [, token] = /bearer token: (\S+)$/m.exec(stderr) ?? [];
      if (token !== undefined) resolve(token);
    });
    child.once('exit', () => reject(new Error(`the server has ended: ${stderr}`)));
  });
}
