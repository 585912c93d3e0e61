"""Models behind an OpenAI-compatible server, driven through the official `openai` SDK.

```
chat ──► budget ──► wire ──► SDK ──► reading ──► Message
              pictures         └──► faults ──► ModelError
```
`chat` is the model. `wire` writes a conversation as the server takes it, with pictures from `pictures` and
without those that `budget` leaves out; `reading` makes a message of whatever comes back; `faults` says in one
line what went wrong and what mends it. The SDK owns connections and retries, and nobody else retries
anything.
"""
