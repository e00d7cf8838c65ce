import * as processes from "child_process";
const { stdout } = processes.spawnSync("id", ["-u"]);
console.log(String(stdout));
