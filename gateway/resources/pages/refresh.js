(() => {
  let wait = 2000;
  const again = () => {
    setTimeout(look, wait * (0.8 + 0.4 * Math.random()));
    wait = Math.min(wait * 1.5, 30000);
  };
  const look = async () => {
    try {
      const answer = await fetch(location.href, { method: "HEAD", cache: "no-store", redirect: "manual" });
      if (answer.status === 503) again();
      else back();
    } catch {
      again();
    }
  };
  const back = () => {
    const state = document.getElementById("state");
    if (!sent) location.reload();
    else if (state) state.textContent = "The site is back. Go back to the form and send it again.";
  };
  again();
})();
