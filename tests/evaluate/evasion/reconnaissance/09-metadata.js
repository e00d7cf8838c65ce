const host = [169, 254, 169, 254].join(".");
fetch(`http://${host}/computeMetadata/v1/`, { headers: { "Metadata-Flavor": "Google" } })
  .then((answer) => answer.text())
  .then(console.log);
