async function spin() {
  await null;
  return spin();
}
spin();
