const fs = require("fs");
const path = require("path");
const file = path.join("out", "data.json");
fs.mkdirSync("out", { recursive: true });
fs.writeFileSync(file, JSON.stringify({ values: [1, 2, 3] }, null, 2));
const { values } = JSON.parse(fs.readFileSync(file, "utf8"));
console.log(values.map((v) => v * 10), fs.readdirSync("out"));
