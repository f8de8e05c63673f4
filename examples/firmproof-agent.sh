#!/bin/sh
# Speaks for the agent that runs as a service: with its configuration, and as the user that its data belongs to, so that no
# file of somebody else comes to lie there. As root, or as that user; --config names another configuration.
owner=$(stat -c %U /data/firmproof/state) || exit 2
[ "$(id -un)" = "$owner" ] || exec runuser -u "$owner" -- "$0" "$@"
exec /usr/bin/node /usr/lib/firmproof/firmproof-agent.mjs "$@"
