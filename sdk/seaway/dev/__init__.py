"""The page on loopback: what `seaway dev` shows of this folder's runs, endpoints and checks. See docs/design/dev.md."""
