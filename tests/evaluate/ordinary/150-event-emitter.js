const { EventEmitter } = require("node:events");
const bus = new EventEmitter();
bus.once("ready", () => console.log("ready once"));
bus.on("data", (chunk) => console.log("chunk", chunk.length));
bus.emit("ready");
bus.emit("ready");
for (const chunk of ["ab", "cde"]) bus.emit("data", chunk);
