// A program that the control plane knows nothing about: it listens on PORT, answers GET /health, stops on SIGTERM.
// POST /crash ends it with code 1, POST /sick makes /health answer 503, GET /slow answers after ?ms=.
import { createServer } from 'node:http';

let sick = false;
let count = 0;
console.log(JSON.stringify({ level: 30, time: Date.now(), msg: 'starting', secret: process.env.TOY_SECRET ?? null }));
setInterval(() => console.log(`line ${++count}`), Number(process.env.TOY_EVERY_MS ?? 1000));

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://toy');
  if (url.pathname === '/health') return response.writeHead(sick ? 503 : 200).end(sick ? 'sick' : 'ok');
  if (url.pathname === '/crash') { console.error('about to crash'); process.exit(1); }
  if (url.pathname === '/sick') { sick = true; return response.end('sick'); }
  if (url.pathname === '/slow') return setTimeout(() => response.end('done'), Number(url.searchParams.get('ms')));
  response.end('toy');
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.on('SIGTERM', () => server.close(() => process.exit(0)));
