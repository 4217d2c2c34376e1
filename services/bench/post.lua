-- For wrk: posts $BODY over and over, each time with an idempotency key of its own.
wrk.method = "POST"
wrk.body = os.getenv("BODY")
wrk.headers["Content-Type"] = "application/json"

local sent = 0

function request()
  sent = sent + 1
  wrk.headers["Idempotency-Key"] = os.getenv("KEYS") .. "-" .. sent
  return wrk.format()
end
