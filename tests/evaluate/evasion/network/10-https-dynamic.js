import("node:https").then((web) => {
  web.get("https://example.com/", (answer) => console.log(answer.statusCode));
});
