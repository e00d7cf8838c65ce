import mysql from "mysql2";
const pool = mysql.createPool({ host: "localhost" });
const name = process.argv[2];
let text = "SELECT id FROM accounts WHERE name = '";
text += name + "'";
pool.query(text, (error, rows) => console.log(rows));
