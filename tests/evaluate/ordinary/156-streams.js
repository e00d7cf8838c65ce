import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
const lines = [];
await pipeline(
  Readable.from(["a,1\n", "b,2\n"]),
  new Transform({ transform: (chunk, _, done) => done(null, String(chunk).toUpperCase()) }),
  async function (source) {
    for await (const chunk of source) lines.push(String(chunk).trim());
  }
);
console.log(lines);
