/** Keeps what the page was made of, so that it opens without a network; looks for newer files whenever there is one. */
const store = "thimble-companion-1";

addEventListener("install", (event) => event.waitUntil(skipWaiting()));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

/** The page names its parts once all of them are there: what was fetched before this worker ran would be missing. */
addEventListener("message", ({ data, ports }) => {
  const kept = caches.open(store).then((cache) => cache.addAll(data.keep));
  kept.then(
    () => ports[0].postMessage({ kept: data.keep.length }),
    (error) => ports[0].postMessage({ error: error.message }),
  );
});

addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  event.respondWith(answer(request));
});

async function answer(request) {
  const cache = await caches.open(store);
  const known = await cache.match(request, { ignoreSearch: true });
  const fresh = fetch(request).then((response) => {
    if (response.ok && known) void cache.put(request, response.clone());
    return response;
  });
  if (!known) return fresh;
  fresh.catch(() => {});
  return known;
}
