const template = require("fs").readFileSync("page.html", "utf8");
const views = require("ejs");
views.renderFile("page.html", { user: template }, console.log);
