const url = new URL("https://example.com/search?q=a+b&page=2");
url.searchParams.set("page", 3);
console.log(url.toString(), url.hostname);
for (const [key, value] of url.searchParams) console.log(key, "=", value);
