const db = require("better-sqlite3")("a.db");
const words = ["SELECT * FROM t WHERE n = '", process.argv[2], "'"];
db.prepare(words.join("")).all();
