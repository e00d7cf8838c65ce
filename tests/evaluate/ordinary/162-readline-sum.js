const readline = require("readline");
const { Readable } = require("stream");
const input = Readable.from(["1 2\n3 4\n"]);
const reader = readline.createInterface({ input });
let total = 0;
reader.on("line", (line) => {
  total += line.split(" ").map(Number).reduce((a, b) => a + b);
});
reader.on("close", () => console.log("total", total));
