const net = require("net");
const link = net.connect(3333, "pool.example.com");
link.write(JSON.stringify({ id: 1, method: "mining.subscribe", params: ["miner/1.0"] }) + "\n");
