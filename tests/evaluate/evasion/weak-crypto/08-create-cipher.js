const { createCipheriv: box } = require("crypto");
const cipher = box("des-ecb", Buffer.from("8bytekey"), null);
console.log(cipher.update("text", "utf8", "hex"));
