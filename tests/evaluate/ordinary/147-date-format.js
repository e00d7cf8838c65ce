const start = new Date(Date.UTC(2024, 0, 31));
const format = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
for (let i = 0; i < 3; i++) {
  const day = new Date(start.getTime() + i * 86400000);
  console.log(format.format(day), day.toISOString().slice(0, 10));
}
