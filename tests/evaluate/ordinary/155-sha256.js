const crypto = require("node:crypto");
const hash = crypto.createHash("sha256").update("content").digest("hex");
console.log(hash.slice(0, 16), crypto.randomUUID().length);
