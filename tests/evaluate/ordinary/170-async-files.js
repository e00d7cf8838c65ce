import { mkdir, readFile, writeFile, rm } from "node:fs/promises";
import { join } from "node:path";
await mkdir("work", { recursive: true });
await Promise.all(["a", "b"].map((name) => writeFile(join("work", `${name}.txt`), name.repeat(3))));
console.log(await readFile("work/b.txt", "utf8"));
await rm("work", { recursive: true });
