export const help = `firmproof-agent: installs a firmware update only after it has proved the on-chain record for itself

Usage: firmproof-agent <command> [--config FILE] [--json]

Commands
  check      ask the servers and say what the evidence proves; installs nothing
  install    check, download into the idle slot, verify, activate, and confirm or roll back
             --now: whatever windows, postponements and modes say
  install FILE
             the same from a file of \`firmproof export\`, and no server is asked
  run        check and install for ever, every few hours
  confirm    end the trial of a new image: it stays (health.confirm = "external")

  status     why it runs what it runs, and everything else it remembers
  doctor     look at configuration, clock, sources, slots, space and identity
  explain    what a code means and what to do: firmproof-agent explain no-quorum

  hold       hold updates [--until 2027-01-31] [--feature: all but security updates]; --release
  postpone   postpone updates for a while: firmproof-agent postpone 3d
  identity   show | enrol [--claim-token TOKEN, - reads it from the input] | reset --factory | reset --new-owner

Options
  -c, --config FILE  configuration (default $FIRMPROOF_AGENT_CONFIG or /etc/firmproof/agent.json)
      --accept-old-block
                     install FILE: take a block older than the trust root allows, never one older than seen here
      --json         one line of JSON for machines; run writes such lines by itself where no terminal is
  -h, --help         this page
      --version      the version of this program

Exit codes
   0  done, or nothing to do: current, or waiting for a rollout, a veto window, a halted channel, the release after a revoked one, the end of
      a trial, or what people chose (hold, postponement, maintenance window, metered connection, updates that are not automatic)
   1  a mistake in the agent itself
   2  command line, configuration or trust root
   3  another process is at work, or nothing is on trial
  10  check: an update is proven
  20  nothing could be proved: stale, unavailable, too slow or no quorum; the image that runs keeps running
  30  refused: what was served is wrong, or this device cannot install it (slot, storage, installer, hook); what runs keeps running,
      but where the code is rollback-unavailable or rollback-failed: then \`status\` says what to do
  40  the new image was not healthy and was rolled back
  50  doctor: something stands in the way of updates
`;
