const get = globalThis["fet" + "ch"];
const answer = await get("https://example.com/", { method: "POST", body: "x" });
console.log(answer.status);
