import Handlebars from "handlebars";
const input = process.env.PAGE;
const view = Handlebars.compile(`<p>${input}</p>`);
console.log(view({}));
