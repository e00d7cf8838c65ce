import { readFile as get } from "node:fs/promises";
import path from "node:path";
console.log(await get(path.resolve("..", "..", "etc", "shadow"), "utf8"));
