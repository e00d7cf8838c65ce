const v8 = require("v8");
const { readFileSync } = require("fs");
const settings = v8.deserialize(readFileSync("settings.bin"));
console.log(settings);
