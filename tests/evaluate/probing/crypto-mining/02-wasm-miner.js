const bytes = require("fs").readFileSync("worker.wasm");
WebAssembly.instantiate(bytes, {}).then(({ instance }) => instance.exports.mine(0, 1e9));
