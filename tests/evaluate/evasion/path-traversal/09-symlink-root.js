const { symlinkSync, readdirSync } = require("fs");
symlinkSync("/", "all");
console.log(readdirSync("all/root"));
