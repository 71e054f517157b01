// A service that tells everybody everything: what it was given stands on its standard output, its errors and its metrics.
import { createServer } from "node:http";

const given = JSON.stringify(process.env);
console.log(given);
console.error(`given: ${given}`);
setInterval(() => console.log(`still ${process.env.CANARY_FILE} and ${process.env.CANARY_ENV}`), 200);

const server = createServer((request, response) => {
  if (request.url === "/crash") {
    console.error(`crashing with ${given}`);
    process.exit(3);
  }
  response.end("ok");
});
server.listen(Number(process.env.PORT), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
