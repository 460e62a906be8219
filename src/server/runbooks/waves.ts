/** How servers are put into waves, for a runbook whose first step is `summarize_fleet`. */
export const describeWaves = (what: string) =>
  [
    `Put ${what} into waves, and show the person the plan before the first one.`,
    'A wave takes from each domain at most half as many servers as it has domain controllers that report (`dcCommunicating` in step 1), rounded down, but at least one.',
    'A domain with exactly one that reports comes last, when all others are done; mark it in the plan as **last: only one sensor reports here**.',
    'Where step 1 does not list a domain, count its sensors that report with `list_sensors`. One call names at most 50.',
  ].join(' ');
