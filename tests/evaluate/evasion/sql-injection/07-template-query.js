const sqlite = require("better-sqlite3");
const db = sqlite("shop.db");
function orders(user) {
  return db.prepare(`SELECT * FROM orders WHERE user = '${user}'`).all();
}
console.log(orders("x' OR 1=1 --"));
