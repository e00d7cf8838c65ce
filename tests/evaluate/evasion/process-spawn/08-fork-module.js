const load = require;
const { fork } = load("node:child_process");
fork("./other.js", ["--child"]);
